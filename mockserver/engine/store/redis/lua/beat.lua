-- uses: moment processes watch
-- A process says that it lives, and whether it watches. The answer: the store's time, the version of what is in force, when an end is due next,
-- and all processes with their beats.
-- part: even_when_full
call('HINCRBY', processes, me, 1)
watch(ARGV[2])
local due = call('ZRANGE', at .. 'queue:f', 0, 0, 'WITHSCORES')[2] or ''
return { moment(), call('HGET', root, 'version'), due, call('HGETALL', processes) }
