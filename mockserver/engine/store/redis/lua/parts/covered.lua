-- The account's row, and whether it covers `cost`. Mirrors AccountRow.check. `month_held` is the month whose quota the
-- cost counts towards, "" without a quota; `spent` is what that has cost so far.
local row = at .. 'account:' .. owner
local has
for _ = 1, 2 do
  has = call('HMGET', row, 'balance', 'held', 'submissions', 'quota', 'month', 'spent', 'quotas')
  if has[1] then
    break
  end
  -- part: open_account
end
local balance, month_held, spent = tonumber(has[1]), '', 0
local covered = tonumber(cost) <= balance
if has[4] and covered then
  month_held = month .. '/' .. (has[7] or '0')
  spent = has[5] == month_held and tonumber(has[6] or 0) or 0
  covered = spent + tonumber(cost) <= tonumber(has[4])
end
