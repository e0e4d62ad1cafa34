-- uses: sinks
local _, name, bound = unpack(ARGV, 1, 3)
put_sink(name, bound)
call('DEL', at .. 'script:' .. name, at .. 'received:' .. name)
call('HDEL', at .. 'received:dropped', name)
for i = 4, #ARGV do
  call('RPUSH', at .. 'script:' .. name, ARGV[i])
end
