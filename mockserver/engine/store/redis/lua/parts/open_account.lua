-- Opens the account of `owner`, whose `row` is empty: `fresh` are its fields and values, a line each. Once there are
-- `accounts_kept`, the oldest that holds nothing is dropped for it.
if call('ZCARD', at .. 'accounts') >= tonumber(accounts_kept) then
  local idle = call('ZRANGE', at .. 'accounts:idle', 0, 0)[1]
  if idle then
    call('DEL', at .. 'account:' .. idle, at .. 'usage:' .. idle, at .. 'recent:' .. idle)
    call('ZREM', at .. 'accounts', idle)
    call('ZREM', at .. 'accounts:idle', idle)
    call('HINCRBY', at .. 'n', 'dropped accounts', 1)
  end
end
local fields = {}
for part in string.gmatch(fresh, '[^\n]+') do
  fields[#fields + 1] = part
end
local order = call('HINCRBY', at .. 'n', 'seq', 1)
call('HSET', row, 'order', order, unpack(fields))
call('ZADD', at .. 'accounts', order, owner)
call('ZADD', at .. 'accounts:idle', order, owner)
