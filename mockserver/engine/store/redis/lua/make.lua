-- Begins a generation beside the one in force, to be filled and then switched to.
local made = string.format('%.0f', call('HINCRBY', root, 'generations', 1))
call('HSET', root .. ':made', made, me)
return made
