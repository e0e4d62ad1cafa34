-- uses: account queue tables
-- After the fixed arguments come candidates, each planned for one number of the account's generation: number, id, due
-- ("" for a stuck task) and record. The one for the true number is taken.
local _, provider, account, fresh, accounts_kept, tasks_kept, cost, month, trace, key = unpack(ARGV, 1, 10)
local owner = provider .. '/' .. account
local row = open_account(owner, fresh, accounts_kept)
local enough, month_held, same_month = covered(row, cost, month)
if not enough then
  return { 'short', call('HGETALL', row) }
end
if call('HLEN', at .. 'open') >= tonumber(tasks_kept) then
  return { 'full' }
end
local number = call('HGET', row, 'submissions') or '0'
for i = 11, #ARGV, 4 do
  if ARGV[i] == number then
    local id, due = ARGV[i + 1], ARGV[i + 2]
    if call('HEXISTS', at .. 'task', id) == 1 then
      return { 'taken', number, id }
    end
    hold(owner, row, cost, month_held, same_month)
    call('HINCRBY', row, 'submissions', 1)
    add('task', id, provider, account, ARGV[i + 3])
    call('HSET', at .. 'open', id, account .. '\n' .. month_held)
    if trace ~= '' then
      call('HSET', at .. 'names:' .. account, trace, id)
    end
    if key ~= '' then
      call('HSET', at .. 'names:' .. account, key, id)
    end
    if due ~= '' then
      plan('f', due, id)
    end
    return { 'accepted', number }
  end
end
return { 'number', number }
