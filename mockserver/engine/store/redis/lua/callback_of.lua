local id = call('HGET', at .. 'callback of', ARGV[2])
return id and call('HGET', at .. 'callback', id)
