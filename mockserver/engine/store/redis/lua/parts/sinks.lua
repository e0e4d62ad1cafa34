-- Sinks by name: a list of answers to come, a list of what was received, and how much of that was dropped.
local function put_sink(name, bound)
  if not call('ZSCORE', at .. 'sinks', name) and call('ZCARD', at .. 'sinks') >= tonumber(bound) then
    local oldest = call('ZPOPMIN', at .. 'sinks')[1]
    call('DEL', at .. 'script:' .. oldest, at .. 'received:' .. oldest)
    call('HDEL', at .. 'received:dropped', oldest)
    call('HINCRBY', at .. 'n', 'dropped sinks', 1)
  end
  call('ZADD', at .. 'sinks', call('HINCRBY', at .. 'n', 'seq', 1), name)
end
local function drop_oldest_of(name)
  call('LPOP', at .. 'received:' .. name)
  call('HINCRBY', at .. 'received:dropped', name, 1)
end
