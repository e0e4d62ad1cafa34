local _, owner, fresh, accounts_kept, cost, month = unpack(ARGV)
-- part: covered
return covered and 1 or call('HGETALL', row)
