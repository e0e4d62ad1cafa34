-- After the fixed arguments come candidates, each planned for one number of the account's generation: number, id, due
-- ("" for a stuck task) and record. The one for the true number is taken.
local _, provider, account, fresh, accounts_kept, tasks_kept, cost, month, trace, key = unpack(ARGV, 1, 10)
local owner = provider .. '/' .. account
-- part: covered
if not covered then
  return { 'short', call('HGETALL', row) }
end
if call('HLEN', at .. 'open') >= tonumber(tasks_kept) then
  return { 'full' }
end
local number, chosen = has[3] or '0', nil
for i = 11, #ARGV, 4 do
  if ARGV[i] == number then
    chosen = i
    break
  end
end
if not chosen then
  return { 'number', number }
end
local id, due = ARGV[chosen + 1], ARGV[chosen + 2]
local order = call('HINCRBY', at .. 'n', 'seq', 2)
if call('HSETNX', at .. 'task', id, string.format('%.0f', order - 1) .. '\n' .. ARGV[chosen + 3]) == 0 then
  return { 'taken', number }
end

local held = tonumber(has[2] or 0)
if held == 0 and cost ~= '0' then
  call('ZREM', at .. 'accounts:idle', owner)
end
cost = tonumber(cost)
call('HSET', row, 'balance', string.format('%.0f', balance - cost), 'held', string.format('%.0f', held + cost),
  'submissions', string.format('%.0f', number + 1))
if month_held ~= '' then
  call('HSET', row, 'month', month_held, 'spent', string.format('%.0f', spent + cost))
end
call('ZADD', at .. 'task:of:' .. provider, order - 1, id)
call('ZADD', at .. 'task:by:' .. account, order - 1, id)
call('HSET', at .. 'open', id, account .. '\n' .. month_held)
if trace ~= '' then
  call('HSET', at .. 'names:' .. account, trace, id)
end
if key ~= '' then
  call('HSET', at .. 'names:' .. account, key, id)
end
if due ~= '' then
  local member = string.format('%015.0f', order) .. id
  call('ZADD', at .. 'queue:f', due, member)
  call('HSET', at .. 'planned', 'f' .. id, member)
end
return { 'accepted', number }
