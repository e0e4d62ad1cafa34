-- uses: tell tell_watchers
-- Puts an entry with its answer in place of the one that was opened under this token.
local _, id, token, value = unpack(ARGV)
local old = call('HGET', at .. 'entry', id)
if old and string.sub(old, 1, #token) == token then
  call('HSET', at .. 'entry', id, value)
end
tell_watchers('request', id)
