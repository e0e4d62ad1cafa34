-- uses: account queue tables tell
-- After the fixed arguments come the callbacks: id, record, whether it has ended, when it is due ("": never). Then,
-- for each callback that was held back for the account, as it was read: id, record before, after, new due ("": as it is).
local _, provider, account, id, cost, failed, due, body = unpack(ARGV, 1, 8)
local fresh, accounts_kept, tasks_kept, callbacks_kept, usage_kept = unpack(ARGV, 9, 13)
local callbacks, first_held, held = tonumber(ARGV[14]), ARGV[15] == '1', 16 + 4 * tonumber(ARGV[14])
local open, old = call('HGET', at .. 'open', id), call('HGET', at .. 'task', id)
if not (open and old) then
  return 0
end
local waiting = {}
if callbacks > 0 and not first_held then
  waiting = call('LRANGE', at .. 'held back:' .. account, 0, -1)
end
local as_read = #ARGV - held + 1 == 4 * #waiting
local found = {}
for i, name in ipairs(waiting) do
  local value = call('HGET', at .. 'callback', name)
  local before = value and body_of(value) or ''
  found[2 * i - 1], found[2 * i] = name, before
  as_read = as_read and ARGV[held + 4 * i - 4] == name and ARGV[held + 4 * i - 3] == before
end
if not as_read then
  return found
end

call('HDEL', at .. 'open', id) -- the first write frees memory: what follows is let through when the server is full
local owner = provider .. '/' .. account
local row = open_account(owner, fresh, accounts_kept)
if failed == '1' then
  release(owner, row, cost, string.match(open, '\n(.*)$'))
else
  local record = string.match(body ~= '' and body or old, '[^\n]*$')
  capture(owner, row, cost, due .. '\n' .. cost .. '\n' .. record, usage_kept)
end
if body ~= '' then
  replace('task', id, old, body)
end
unplan('f', id)
retire('task', id, tasks_kept)
for i = 16, held - 1, 4 do
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
if callbacks > 0 then
  call('HSET', at .. 'callback of', id, ARGV[16])
end
for i, name in ipairs(waiting) do
  local after, new_due = ARGV[held + 4 * i - 2], ARGV[held + 4 * i - 1]
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
tell('ended', id)
return 1
