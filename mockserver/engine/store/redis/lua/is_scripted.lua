return call('EXISTS', at .. 'script:' .. ARGV[2])
