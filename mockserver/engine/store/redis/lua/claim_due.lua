-- Claims the first event that is due at or before `now`: when an end is due next, and the event's kind, time and id.
-- While a living process advances the clock, others get nothing; it gets the alarms of the others, too, which come last
-- at their time.
local now = tonumber(ARGV[2])
local ends = call('ZRANGE', at .. 'queue:f', 0, 1, 'WITHSCORES')
local kind, member, due = 'f', ends[1], ends[2]
local advancing = call('GET', at .. 'advance')
if advancing and advancing ~= me and call('HEXISTS', root .. ':processes', advancing) == 1 then
  return { due or '' }
end
local attempt = call('ZRANGE', at .. 'queue:a', 0, 0, 'WITHSCORES')
if attempt[1] then
  local sooner = not due or tonumber(attempt[2]) < tonumber(due)
  if sooner or (attempt[2] == due and attempt[1] < member) then
    kind, member, due = 'a', attempt[1], attempt[2]
  end
end
if advancing == me then
  local alarms = call('ZRANGE', at .. 'alarms', 0, -1, 'WITHSCORES')
  for i = 1, #alarms, 2 do
    if string.sub(alarms[i], 1, #me + 1) ~= me .. '\n' then
      if not due or tonumber(alarms[i + 1]) < tonumber(due) then
        kind, member, due = 'alarm', alarms[i], alarms[i + 1]
      end
      break
    end
  end
end
if not due or tonumber(due) > now then
  return { ends[2] or '' }
end
if kind == 'alarm' then
  call('ZREM', at .. 'alarms', member)
  return { ends[2] or '', kind, due, string.match(member, '\n(.*)$') }
end
local id = string.sub(member, 16)
call('ZREM', at .. 'queue:' .. kind, member)
call('HDEL', at .. 'planned', kind .. id)
call('HSET', at .. 'claimed', kind .. id, me .. '\n' .. due .. '\n' .. member)
call('HSETNX', root .. ':processes', me, 0)
return { ends[kind == 'f' and 4 or 2] or '', kind, due, id }
