call('ZADD', at .. 'alarms', ARGV[2], me .. '\n' .. ARGV[3])
