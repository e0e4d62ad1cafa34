return call('LRANGE', at .. 'usage:' .. ARGV[2], 0, -1)
