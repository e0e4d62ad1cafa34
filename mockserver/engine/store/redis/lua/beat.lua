-- uses: moment queue processes
-- A process says that it lives. The answer: the store's time, the version of what is in force, when an end and an
-- attempt are due next, and all processes with their beats.
-- part: even_when_full
call('HINCRBY', processes, me, 1)
local _, finish = head('f')
local _, attempt = head('a')
return { moment(), call('HGET', root, 'version'), finish or '', attempt or '', call('HGETALL', processes) }
