-- Gives an empty store its form, its instance and a state: 1. One that has them is left as it is: 0.
local call = redis.call
local root, me, form, instance = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if call('HEXISTS', root, 'generation') == 1 then
  return 0
end
local clock = call('TIME')
-- the versions of another instance are never met again
local version = string.format('%.0f', clock[1] * 1000000 + clock[2])
local generation = clock[1] -- nor are its generations
call('HSET', root, 'form', form, 'instance', instance, 'version', version)
call('HSET', root, 'generations', generation, 'generation', generation)
call('HSET', root .. ':' .. generation .. ':state', 'at', string.format('%s.%06d', clock[1], clock[2]), unpack(ARGV, 4))
call('HSETNX', root .. ':processes', me, 0)
return 1
