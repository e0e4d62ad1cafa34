-- uses: processes queue
-- Puts the ends that a dead process had claimed back into their queue. Its attempts are the answer: id, due, callback.
-- When there are none, it is forgotten, and with it its alarms and its advance.
-- part: even_when_full
local dead, attempts = ARGV[2], {}
local all = call('HGETALL', at .. 'claimed')
for i = 1, #all, 2 do
  local process, due, member = claim_of(all[i + 1])
  local kind, id = string.sub(all[i], 1, 1), string.sub(all[i], 2)
  if process == dead and kind == 'f' then
    call('HDEL', at .. 'claimed', all[i])
    put_back(kind, id, due, member)
  elseif process == dead then
    local value = call('HGET', at .. 'callback', id)
    if value then
      attempts[#attempts + 1] = { id, due, value }
    else
      call('HDEL', at .. 'claimed', all[i])
    end
  end
end
if #attempts == 0 then
  call('HDEL', processes, dead)
  call('HDEL', root .. ':watchers', dead)
  if call('GET', at .. 'advance') == dead then
    call('DEL', at .. 'advance')
  end
  for _, alarm in ipairs(call('ZRANGE', at .. 'alarms', 0, -1)) do
    if string.sub(alarm, 1, #dead + 1) == dead .. '\n' then
      call('ZREM', at .. 'alarms', alarm)
    end
  end
end
return attempts
