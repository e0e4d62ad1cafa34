-- Before every script: the keys of the generation in force. A reset begins another one, under other names.
local call = redis.call
local root, me = KEYS[1], ARGV[1]
local generation = call('HGET', root, 'generation')
if not generation then
  return redis.error_reply('NOTHING is kept under ' .. root)
end
local at = root .. ':' .. generation .. ':'
