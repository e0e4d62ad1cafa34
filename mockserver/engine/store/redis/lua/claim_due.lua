-- Claims the first event that is due at or before `now`. While a living process advances the clock, others get nothing but
-- ends, without attempts; it gets the alarms of the others too, which come last at their time. The answer ends with when
-- the next end is due.
local now, attempts = tonumber(ARGV[2]), ARGV[3] == '1'
local advancing = call('GET', at .. 'advance')
if attempts and advancing and advancing ~= me and call('HEXISTS', root .. ':processes', advancing) == 1 then
  return { false, false, false, call('ZRANGE', at .. 'queue:f', 0, 0, 'WITHSCORES')[2] or '' }
end
local ends = call('ZRANGE', at .. 'queue:f', 0, 1, 'WITHSCORES')
local kind, member, due = 'f', ends[1], ends[2]
if attempts then
  local first = call('ZRANGE', at .. 'queue:a', 0, 0, 'WITHSCORES')
  if first[1] then
    local sooner = not due or tonumber(first[2]) < tonumber(due)
    if sooner or (first[2] == due and first[1] < member) then
      kind, member, due = 'a', first[1], first[2]
    end
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
  return { false, false, false, ends[2] or '' }
end
if kind == 'alarm' then
  call('ZREM', at .. 'alarms', member)
  return { kind, due, string.match(member, '\n(.*)$'), ends[2] or '' }
end
local id = string.sub(member, 16)
call('ZREM', at .. 'queue:' .. kind, member)
call('HDEL', at .. 'planned', kind .. id)
call('HSET', at .. 'claimed', kind .. id, me .. '\n' .. due .. '\n' .. member)
call('HSETNX', root .. ':processes', me, 0)
return { kind, due, id, ends[kind == 'f' and 4 or 2] or '' }
