-- uses: tell
-- After the fixed arguments come the callbacks: id, record, whether it has ended, when it is due ("": never). Then,
-- for each callback that was held back for the account, as it was read: id, record before, after, new due ("": as it is).
local _, provider, account, id, cost, failed, due, body = unpack(ARGV, 1, 8)
local fresh, accounts_kept, tasks_kept, callbacks_kept, usage_kept = unpack(ARGV, 9, 13)
local callbacks, first_held, held_back = tonumber(ARGV[14]), ARGV[15] == '1', 16 + 4 * tonumber(ARGV[14])
local open, old = call('HGET', at .. 'open', id), call('HGET', at .. 'task', id)
if not (open and old) then
  return 0
end
local waiting = {}
if callbacks > 0 and not first_held then
  waiting = call('LRANGE', at .. 'held back:' .. account, 0, -1)
end
if #waiting > 0 or #ARGV >= held_back then
  local as_read = #ARGV - held_back + 1 == 4 * #waiting
  local found = {}
  for i, name in ipairs(waiting) do
    local value = call('HGET', at .. 'callback', name)
    local before = value and string.sub(value, string.find(value, '\n', 1, true) + 1) or ''
    found[2 * i - 1], found[2 * i] = name, before
    as_read = as_read and ARGV[held_back + 4 * i - 4] == name and ARGV[held_back + 4 * i - 3] == before
  end
  if not as_read then
    return found
  end
end

call('HDEL', at .. 'open', id) -- the first write frees memory: what follows is let through when the server is full
local owner = provider .. '/' .. account
local row = at .. 'account:' .. owner
local has
for _ = 1, 2 do
  has = call('HMGET', row, 'balance', 'held', 'captured', 'order', 'month', 'spent')
  if has[1] then
    break
  end
  -- part: open_account
end
local amount, held = tonumber(cost), tonumber(has[2] or 0)
local left = string.format('%.0f', held - amount)
if left == '0' and held ~= 0 then
  call('ZADD', at .. 'accounts:idle', has[4], owner)
end
if failed == '1' then
  local month = string.match(open, '\n(.*)$')
  call('HSET', row, 'held', left, 'balance', string.format('%.0f', has[1] + amount))
  if month ~= '' and month == has[5] then
    call('HSET', row, 'spent', string.format('%.0f', has[6] - amount))
  end
else
  call('HSET', row, 'held', left, 'captured', string.format('%.0f', (has[3] or 0) + amount))
  local usage = due .. '\n' .. cost .. '\n' .. string.match(body, '[^\n]*$')
  if call('RPUSH', at .. 'usage:' .. owner, usage) > tonumber(usage_kept) then
    call('LPOP', at .. 'usage:' .. owner)
    call('HINCRBY', row, 'usage_dropped', 1)
  end
end
local place = string.find(old, '\n', 1, true)
if string.sub(old, place + 1) ~= body then
  call('HSET', at .. 'task', id, string.sub(old, 1, place) .. body)
end
if call('HDEL', at .. 'claimed', 'f' .. id) == 0 then
  local member = call('HGET', at .. 'planned', 'f' .. id)
  if member then
    call('ZREM', at .. 'queue:f', member)
    call('HDEL', at .. 'planned', 'f' .. id)
  end
end
call('ZADD', at .. 'task:ended', call('HINCRBY', at .. 'n', 'seq', 1), id)
if call('ZCARD', at .. 'task:ended') > tonumber(tasks_kept) then
  -- part: tables
  drop_oldest('task', tasks_kept)
end

if callbacks > 0 then
  -- part: queue
  -- part: tables
  for i = 16, held_back - 1, 4 do
    local name = ARGV[i]
    add('callback', name, provider, account, ARGV[i + 1])
    if ARGV[i + 2] == '1' then
      retire('callback', name, callbacks_kept)
    elseif ARGV[i + 3] ~= '' then
      plan('a', ARGV[i + 3], name)
    end
    if first_held then
      call('RPUSH', at .. 'held back:' .. account, name)
    end
  end
  call('HSET', at .. 'callback of', id, ARGV[16])
  for i, name in ipairs(waiting) do
    local after, new_due = ARGV[held_back + 4 * i - 2], ARGV[held_back + 4 * i - 1]
    if after ~= '' then
      replace('callback', name, call('HGET', at .. 'callback', name), after)
      if new_due ~= '' then
        unplan('a', name)
        plan('a', new_due, name)
      end
    end
  end
  if #waiting > 0 then
    call('DEL', at .. 'held back:' .. account)
  end
end
tell('ended', id)
return 1
