-- uses: processes queue
-- A process that has connected anew goes on under another name: what it knows it has claimed ("f" or "a" and the id) is
-- its own still. What it does not know of goes back into the queue: the answer that told of it was lost.
local _, old, advances = unpack(ARGV, 1, 3)
-- part: even_when_full
local known = {}
for i = 4, #ARGV do
  known[ARGV[i]] = true
end
local all = call('HGETALL', at .. 'claimed')
for i = 1, #all, 2 do
  local process, due, member = claim_of(all[i + 1])
  if process == old then
    if known[all[i]] then
      call('HSET', at .. 'claimed', all[i], me .. '\n' .. due .. '\n' .. member)
    else
      call('HDEL', at .. 'claimed', all[i])
      put_back(string.sub(all[i], 1, 1), string.sub(all[i], 2), due, member)
    end
  end
end
if call('GET', at .. 'advance') == old then
  if advances == '1' then
    call('SET', at .. 'advance', me)
  else
    call('DEL', at .. 'advance')
  end
end
local alarms = call('ZRANGE', at .. 'alarms', 0, -1, 'WITHSCORES')
for i = 1, #alarms, 2 do
  if string.sub(alarms[i], 1, #old + 1) == old .. '\n' then
    call('ZREM', at .. 'alarms', alarms[i])
    call('ZADD', at .. 'alarms', alarms[i + 1], me .. string.sub(alarms[i], #old + 1))
  end
end
if call('HDEL', root .. ':watchers', old) == 1 then
  call('HSET', root .. ':watchers', me, 1)
end
call('HDEL', processes, old)
call('HSETNX', processes, me, 0)
