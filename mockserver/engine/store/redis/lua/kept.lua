-- How many there are, and how many a bound has dropped, of tasks, callbacks, entries, accounts and sinks.
local dropped = call('HMGET', at .. 'n',
  'dropped task', 'dropped callback', 'dropped entry', 'dropped accounts', 'dropped sinks')
return {
  call('HLEN', at .. 'task'), dropped[1] or '0',
  call('HLEN', at .. 'callback'), dropped[2] or '0',
  call('HLEN', at .. 'entry'), dropped[3] or '0',
  call('ZCARD', at .. 'accounts'), dropped[4] or '0',
  call('ZCARD', at .. 'sinks'), dropped[5] or '0',
}
