return call('HEXISTS', at .. 'open', ARGV[2])
