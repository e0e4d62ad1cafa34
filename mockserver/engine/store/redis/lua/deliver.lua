-- uses: sinks
-- Records what a sink was sent; the next answer of its script, nil past its end. Each request has a number, which goes
-- before its record. Of all sinks together the newest requests stay: `receipts` has each one's number, length and sink.
local _, name, received, length, sinks_kept, received_kept, receipts_kept, length_kept = unpack(ARGV)
if not call('ZSCORE', at .. 'sinks', name) then
  put_sink(name, sinks_kept)
end
local number = string.format('%.0f', call('HINCRBY', at .. 'n', 'seq', 1))
if call('RPUSH', at .. 'received:' .. name, number .. '\n' .. received) > tonumber(received_kept) then
  drop_oldest_of(name)
end
local count = call('RPUSH', at .. 'receipts', number .. '\n' .. length .. '\n' .. name)
local total = call('HINCRBY', at .. 'n', 'receipts length', length)
while count > tonumber(receipts_kept) or (total > tonumber(length_kept) and count > 1) do
  local oldest, its_length, sink = string.match(call('LPOP', at .. 'receipts'), '^(%d+)\n(%d+)\n(.*)$')
  count, total = count - 1, call('HINCRBY', at .. 'n', 'receipts length', 0 - its_length)
  local first = call('LINDEX', at .. 'received:' .. sink, 0)
  if first and string.match(first, '^%d+') == oldest then
    drop_oldest_of(sink)
  end
end
return call('LPOP', at .. 'script:' .. name)
