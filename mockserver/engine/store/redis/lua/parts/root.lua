-- Before every script: the keys of the generation in force. A reset begins another one, under other names.
local call = redis.call
local root, me = KEYS[1], ARGV[1]
local generation = call('HGET', root, 'generation')
if not generation then
  return redis.error_reply('NOTHING is kept under ' .. root)
end
local at = root .. ':' .. generation .. ':'
local function following()
  return call('HINCRBY', at .. 'n', 'seq', 1)
end
local function moment()
  local clock = call('TIME')
  return string.format('%s.%06d', clock[1], clock[2])
end
