-- uses: sinks
-- Records what a sink was sent; the next answer of its script, nil past its end.
local _, name, received, bound, kept = unpack(ARGV)
if not call('ZSCORE', at .. 'sinks', name) then
  put_sink(name, bound)
end
if call('RPUSH', at .. 'received:' .. name, received) > tonumber(kept) then
  call('LPOP', at .. 'received:' .. name)
  call('HINCRBY', at .. 'received:dropped', name, 1)
end
return call('LPOP', at .. 'script:' .. name)
