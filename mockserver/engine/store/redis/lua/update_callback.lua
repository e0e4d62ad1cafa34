-- uses: queue tables tell tell_watchers
-- Puts a callback in place of the one that was read. `due`: when its attempt is planned anew, "" if it is not.
local _, id, before, after, had_ended, ends, due, bound, attempted = unpack(ARGV)
local old = call('HGET', at .. 'callback', id)
if not old or body_of(old) ~= before then
  return 0
end
-- part: even_when_full
replace('callback', id, old, after)
if had_ended == '1' then
  call('ZREM', at .. 'callback:ended', id)
end
if ends == '1' then
  unplan('a', id)
  retire('callback', id, bound)
elseif due ~= '' then
  unplan('a', id)
  plan('a', due, id)
end
if attempted == '1' then
  tell_watchers('attempt', id)
end
return 1
