-- Counts a call towards a rate limit: 1, or when the oldest call of a full window was ("" if it admits none).
local _, owner, now = unpack(ARGV)
local limit = call('HMGET', at .. 'account:' .. owner, 'rate_requests', 'rate_seconds')
if not limit[1] then
  return 1
end
local recent = at .. 'recent:' .. owner
local oldest = call('LINDEX', recent, 0)
while oldest and tonumber(oldest) <= tonumber(now) - tonumber(limit[2]) do
  call('LPOP', recent)
  oldest = call('LINDEX', recent, 0)
end
if call('LLEN', recent) >= tonumber(limit[1]) then
  return { oldest or '', limit[2] }
end
call('RPUSH', recent, now)
return 1
