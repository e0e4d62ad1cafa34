-- uses: moment in_force tell
-- Goes on with another generation ("" is a new one) and this state; the one in force so far is left to be cleared away.
local prepared = ARGV[2]
if prepared ~= '' and call('HEXISTS', root .. ':made', prepared) == 0 then
  return redis.error_reply('LOST what was prepared')
end
-- part: even_when_full
call('SADD', root .. ':old', generation)
generation = prepared ~= '' and prepared or string.format('%.0f', call('HINCRBY', root, 'generations', 1))
at = root .. ':' .. generation .. ':'
call('HSET', root, 'generation', generation)
call('HDEL', root .. ':made', generation)
put_state({ unpack(ARGV, 3) })
tell('reset', '')
return in_force()
