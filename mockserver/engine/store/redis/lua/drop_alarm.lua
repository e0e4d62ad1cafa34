call('ZREM', at .. 'alarms', me .. '\n' .. ARGV[2])
