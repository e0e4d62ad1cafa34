-- Claims up to `count` ends that are due at or before `now`, in order; the answer is as that of claim_due.
local _, now, count = unpack(ARGV)
local first = call('ZRANGEBYSCORE', at .. 'queue:f', '-inf', now, 'WITHSCORES', 'LIMIT', 0, count)
local answer = { '' }
for i = 1, #first, 2 do
  local member, due = first[i], first[i + 1]
  local id = string.sub(member, 16)
  call('ZREM', at .. 'queue:f', member)
  call('HDEL', at .. 'planned', 'f' .. id)
  call('HSET', at .. 'claimed', 'f' .. id, me .. '\n' .. due .. '\n' .. member)
  answer[#answer + 1] = 'f'
  answer[#answer + 1] = due
  answer[#answer + 1] = id
end
if #first > 0 then
  call('HSETNX', root .. ':processes', me, 0)
end
answer[1] = call('ZRANGE', at .. 'queue:f', 0, 0, 'WITHSCORES')[2] or ''
return answer
