-- uses: processes
-- Gives up generations that this process made ("" is none) and those of processes that are gone; all that are to be cleared.
-- part: even_when_full
if ARGV[2] ~= '' and call('HDEL', root .. ':made', ARGV[2]) == 1 then
  call('SADD', root .. ':old', ARGV[2])
end
local made = call('HGETALL', root .. ':made')
for i = 1, #made, 2 do
  if not lives(made[i + 1]) then
    call('HDEL', root .. ':made', made[i])
    call('SADD', root .. ':old', made[i])
  end
end
return call('SMEMBERS', root .. ':old')
