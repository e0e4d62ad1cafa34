-- uses: queue tables tell tell_watchers
-- Puts an attempt of a dead process back into the queue, on a callback that says that its outcome was lost.
local _, dead, id, before, after = unpack(ARGV)
local claimed, old = call('HGET', at .. 'claimed', 'a' .. id), call('HGET', at .. 'callback', id)
local process, due, member = claim_of(claimed or '')
if process ~= dead or not old or body_of(old) ~= before then
  return 0
end
call('HDEL', at .. 'claimed', 'a' .. id)
replace('callback', id, old, after)
put_back('a', id, due, member)
tell_watchers('attempt', id)
return 1
