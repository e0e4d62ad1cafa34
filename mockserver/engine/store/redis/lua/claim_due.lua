-- uses: processes queue
-- Claims the first event that is due at or before `now`. While a living process advances the clock, it alone gets
-- attempts, and it alone gets the alarms of the others, which come last at their time.
local now, attempts = tonumber(ARGV[2]), ARGV[3] == '1'
local advancing = call('GET', at .. 'advance')
if advancing and advancing ~= me and lives(advancing) then
  attempts = false
end
local kind, member, due
local function offer(other, its_member, its_due)
  if not its_due or tonumber(its_due) > now then
    return
  end
  local sooner = not due or tonumber(its_due) < tonumber(due)
  if sooner or (tonumber(its_due) == tonumber(due) and its_member < member) then
    kind, member, due = other, its_member, its_due
  end
end
offer('f', head('f'))
if attempts then
  offer('a', head('a'))
end
if advancing == me then
  local alarms = call('ZRANGE', at .. 'alarms', 0, -1, 'WITHSCORES')
  for i = 1, #alarms, 2 do
    local others = string.sub(alarms[i], 1, #me + 1) ~= me .. '\n'
    if others and (not due or tonumber(alarms[i + 1]) < tonumber(due)) then
      offer('alarm', alarms[i], alarms[i + 1])
      break
    end
  end
end
if not kind then
  return { false, false, false, call('ZRANGE', queue('f'), 0, 0, 'WITHSCORES')[2] or '' }
end
local id
if kind == 'alarm' then
  call('ZREM', at .. 'alarms', member)
  id = string.match(member, '\n(.*)$')
else
  id = string.sub(member, 16)
  claim(kind, id, due, member)
  call('HSETNX', processes, me, 0)
end
return { kind, due, id, call('ZRANGE', queue('f'), 0, 0, 'WITHSCORES')[2] or '' }
