-- uses: account
local _, provider, account, fresh, bound, balance, sets_quota, quota, month = unpack(ARGV, 1, 9)
local sets_rate, requests, seconds = unpack(ARGV, 10, 12)
local owner = provider .. '/' .. account
local row = open_account(owner, fresh, bound)
if balance ~= '' then
  call('HINCRBY', row, 'opening', balance)
  call('HINCRBY', row, 'opening', negative(call('HGET', row, 'balance')))
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
