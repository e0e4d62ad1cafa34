return call('HGET', at .. 'matches', ARGV[2])
