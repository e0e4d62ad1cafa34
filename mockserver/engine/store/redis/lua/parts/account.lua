-- An account's row is a hash; what it lacks is 0 or not set. Mirrors AccountRow and AccountTable.
local function row_of(owner)
  return at .. 'account:' .. owner
end
local function drop_idle_account()
  local idle = call('ZRANGE', at .. 'accounts:idle', 0, 0)[1]
  if idle then
    call('DEL', row_of(idle), at .. 'usage:' .. idle, at .. 'recent:' .. idle)
    call('ZREM', at .. 'accounts', idle)
    call('ZREM', at .. 'accounts:idle', idle)
    call('HINCRBY', at .. 'n', 'dropped accounts', 1)
  end
end
-- `fresh` are the fields and values of a new row, a line each; `bound` is how many accounts are kept
local function open_account(owner, fresh, bound)
  local row = row_of(owner)
  if call('HEXISTS', row, 'opening') == 1 then
    return row
  end
  if call('ZCARD', at .. 'accounts') >= tonumber(bound) then
    drop_idle_account()
  end
  local fields = {}
  for part in string.gmatch(fresh, '[^\n]+') do
    fields[#fields + 1] = part
  end
  local order = following()
  call('HSET', row, 'order', order, unpack(fields))
  call('ZADD', at .. 'accounts', order, owner)
  call('ZADD', at .. 'accounts:idle', order, owner)
  return row
end
-- amounts are added and subtracted by the server, in 64 bits; only comparisons are made with Lua's numbers
local function negative(amount)
  if amount == '0' then
    return amount
  end
  return string.sub(amount, 1, 1) == '-' and string.sub(amount, 2) or '-' .. amount
end
-- whether balance and quota cover an amount; if so, the month whose quota it counts towards, "" without one
local function covered(row, amount, month)
  local has = call('HMGET', row, 'balance', 'quota', 'month', 'spent', 'quotas')
  amount = tonumber(amount)
  if amount > tonumber(has[1]) then
    return false
  end
  if not has[2] then
    return true, ''
  end
  month = month .. '/' .. (has[5] or '0')
  local spent = has[3] == month and tonumber(has[4] or 0) or 0
  return spent + amount <= tonumber(has[2]), month, has[3] == month
end
local function hold(owner, row, amount, month, same_month)
  call('HINCRBY', row, 'balance', negative(amount))
  if call('HINCRBY', row, 'held', amount) > 0 then
    call('ZREM', at .. 'accounts:idle', owner)
  end
  if month ~= '' then
    if not same_month then
      call('HSET', row, 'month', month, 'spent', '0')
    end
    call('HINCRBY', row, 'spent', amount)
  end
end
local function let_go(owner, row, amount)
  if call('HINCRBY', row, 'held', negative(amount)) == 0 then
    call('ZADD', at .. 'accounts:idle', call('HGET', row, 'order'), owner)
  end
end
local function release(owner, row, amount, month)
  let_go(owner, row, amount)
  call('HINCRBY', row, 'balance', amount)
  if month ~= '' and month == call('HGET', row, 'month') then
    call('HINCRBY', row, 'spent', negative(amount))
  end
end
local function capture(owner, row, amount, usage, bound)
  let_go(owner, row, amount)
  call('HINCRBY', row, 'captured', amount)
  if call('RPUSH', at .. 'usage:' .. owner, usage) > tonumber(bound) then
    call('LPOP', at .. 'usage:' .. owner)
    call('HINCRBY', row, 'usage_dropped', 1)
  end
end
