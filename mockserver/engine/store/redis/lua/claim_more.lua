-- Claims up to `count` events of a kind that are due at or before `due`, in order, as long as none of the other kind and
-- no alarm of another process is before them; the answer is as that of claim_due. Nothing while another one advances.
local _, kind, other, due, count = unpack(ARGV)
local advancing = call('GET', at .. 'advance')
local answer = { '' }
if not advancing or advancing == me or call('HEXISTS', root .. ':processes', advancing) == 0 then
  local barrier = call('ZRANGE', at .. 'queue:' .. other, 0, 0, 'WITHSCORES')
  local barred, alarm = tonumber(barrier[2]), nil
  local alarms = call('ZRANGE', at .. 'alarms', 0, -1, 'WITHSCORES')
  for i = 1, #alarms, 2 do
    if string.sub(alarms[i], 1, #me + 1) ~= me .. '\n' then
      alarm = tonumber(alarms[i + 1])
      break
    end
  end
  local first = call('ZRANGEBYSCORE', at .. 'queue:' .. kind, '-inf', due, 'WITHSCORES', 'LIMIT', 0, count)
  for i = 1, #first, 2 do
    local member, its_due = first[i], tonumber(first[i + 1])
    if barred and (barred < its_due or (barred == its_due and barrier[1] < member)) or alarm and alarm < its_due then
      break
    end
    local id = string.sub(member, 16)
    call('ZREM', at .. 'queue:' .. kind, member)
    call('HDEL', at .. 'planned', kind .. id)
    call('HSET', at .. 'claimed', kind .. id, me .. '\n' .. first[i + 1] .. '\n' .. member)
    answer[#answer + 1] = kind
    answer[#answer + 1] = first[i + 1]
    answer[#answer + 1] = id
  end
  if #answer > 1 then
    call('HSETNX', root .. ':processes', me, 0)
  end
end
answer[1] = call('ZRANGE', at .. 'queue:f', 0, 0, 'WITHSCORES')[2] or ''
return answer
