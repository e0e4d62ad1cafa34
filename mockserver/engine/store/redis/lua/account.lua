return call('HGETALL', at .. 'account:' .. ARGV[2])
