local _, id, value, bound = unpack(ARGV)
if call('HSETNX', at .. 'entry', id, value) == 0 then
  return 0
end
call('ZADD', at .. 'entry:order', call('HINCRBY', at .. 'n', 'seq', 1), id)
if call('ZCARD', at .. 'entry:order') > tonumber(bound) then
  call('HDEL', at .. 'entry', call('ZPOPMIN', at .. 'entry:order')[1])
  call('HINCRBY', at .. 'n', 'dropped entry', 1)
end
return 1
