-- The task that a name of an account means.
local id = call('HGET', at .. 'names:' .. ARGV[2], ARGV[3])
return id and call('HGET', at .. 'task', id)
