-- uses: tables
-- Forgets an account's entries among `count` of the journal behind a place in its order; the place reached, "" at the end.
local _, account, behind, count = unpack(ARGV)
local part = call('ZRANGEBYSCORE', at .. 'entry:order', behind, '+inf', 'WITHSCORES', 'LIMIT', 0, count)
for i = 1, #part, 2 do
  local _, _, its_account = head_of(call('HGET', at .. 'entry', part[i]))
  if its_account == account then
    call('HDEL', at .. 'entry', part[i])
    call('ZREM', at .. 'entry:order', part[i])
  end
end
return #part == 2 * tonumber(count) and '(' .. part[#part] or ''
