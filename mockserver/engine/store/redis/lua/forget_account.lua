-- uses: moment in_force queue tables tell
-- Forgets a piece of an account: first its rows, names and rules and the tasks that hold money, at once; then of the
-- rest up to `count` tasks, callbacks and entries that are no newer than `newest`. The answer: `newest`, how many
-- went of those, and the ids of the tasks that are gone.
local _, account, newest, count = unpack(ARGV, 1, 4)
local gone = {}
-- part: even_when_full
local function forget_task(id)
  unplan('f', id)
  remove('task', id)
  gone[#gone + 1] = id
end
if newest == '' then
  call('HINCRBY', at .. 'n', 'dropped accounts', 0) -- from now on ids of requests may repeat, which this field says
  newest = call('HGET', at .. 'n', 'seq') or '0'
  for i = 5, #ARGV do
    local owner = ARGV[i] .. '/' .. account
    call('DEL', at .. 'account:' .. owner, at .. 'usage:' .. owner, at .. 'recent:' .. owner)
    call('ZREM', at .. 'accounts', owner)
    call('ZREM', at .. 'accounts:idle', owner)
  end
  call('DEL', at .. 'names:' .. account, at .. 'held back:' .. account)
  local open = call('HGETALL', at .. 'open')
  for i = 1, #open, 2 do
    if string.match(open[i + 1], '^[^\n]*') == account then
      call('HDEL', at .. 'open', open[i])
      forget_task(open[i])
    end
  end
end
local left = 0
for _, id in ipairs(call('ZRANGEBYSCORE', at .. 'task:by:' .. account, '-inf', newest, 'LIMIT', 0, count)) do
  forget_task(id)
  left = left + 1
end
for _, id in ipairs(call('ZRANGEBYSCORE', at .. 'callback:by:' .. account, '-inf', newest, 'LIMIT', 0, count)) do
  local _, _, _, task = head_of(call('HGET', at .. 'callback', id))
  call('HDEL', at .. 'callback of', task)
  unplan('a', id)
  remove('callback', id)
  left = left + 1
end
if #gone > 0 or ARGV[3] == '' then
  tell('forgotten', account .. '\n' .. table.concat(gone, '\n'))
end
return { newest, left, gone }
