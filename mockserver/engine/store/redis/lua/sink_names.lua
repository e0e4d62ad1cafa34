return call('ZRANGE', at .. 'sinks', 0, -1)
