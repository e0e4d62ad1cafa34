local name = ARGV[2]
if not call('ZSCORE', at .. 'sinks', name) then
  return nil
end
return {
  call('LRANGE', at .. 'script:' .. name, 0, -1),
  call('LRANGE', at .. 'received:' .. name, 0, -1),
  call('HGET', at .. 'received:dropped', name) or '0',
}
