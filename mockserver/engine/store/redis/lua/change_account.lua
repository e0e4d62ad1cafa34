-- The account's row as it stands then; nothing, and nothing has changed, if what it has had in all would be over `largest`.
local _, owner, fresh, accounts_kept, balance, sets_quota, quota, month, sets_rate, requests, seconds = unpack(ARGV)
local largest = tonumber(ARGV[12])
local row = at .. 'account:' .. owner
if call('HEXISTS', row, 'opening') == 0 then
  -- part: open_account
end
if balance ~= '' then
  if call('HGET', row, 'opening') - call('HGET', row, 'balance') + balance > largest then
    return nil
  end
  -- the server adds in 64 bits
  call('HINCRBY', row, 'opening', balance)
  call('HINCRBY', row, 'opening', string.format('%.0f', 0 - call('HGET', row, 'balance')))
  call('HSET', row, 'balance', balance)
end
if sets_quota == '1' then
  month = month .. '/' .. string.format('%.0f', call('HINCRBY', row, 'quotas', 1))
  call('HSET', row, 'month', month, 'spent', '0')
  if quota == '' then
    call('HDEL', row, 'quota')
  else
    call('HSET', row, 'quota', quota)
  end
end
if sets_rate == '1' then
  call('DEL', at .. 'recent:' .. owner)
  if requests == '' then
    call('HDEL', row, 'rate_requests', 'rate_seconds')
  else
    call('HSET', row, 'rate_requests', requests, 'rate_seconds', seconds)
  end
end
return call('HGETALL', row)
