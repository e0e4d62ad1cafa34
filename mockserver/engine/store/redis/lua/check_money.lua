-- uses: account
local _, provider, account, fresh, bound, cost, month = unpack(ARGV)
local row = open_account(provider .. '/' .. account, fresh, bound)
return covered(row, cost, month) and 1 or call('HGETALL', row)
