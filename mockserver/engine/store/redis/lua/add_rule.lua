-- uses: moment in_force tell
-- Adds a rule that was made for a number, if that number is the next one.
local _, number, id, rule = unpack(ARGV)
if tonumber(call('HGET', at .. 'n', 'rules') or 0) + 1 ~= tonumber(number) then
  return { 0, in_force() }
end
call('HSET', at .. 'n', 'rules', number)
call('HSET', at .. 'rule', id, rule)
call('RPUSH', at .. 'rules', id)
changed()
tell('state', '')
return { 1, in_force() }
