-- uses: moment in_force tell
-- Puts routes in place of those that were read.
local _, before, after = unpack(ARGV)
local swapped = (call('HGET', at .. 'state', 'routes') or '[]') == before
if swapped then
  call('HSET', at .. 'state', 'routes', after)
  changed()
  tell('state', '')
end
return { swapped and 1 or 0, in_force() }
