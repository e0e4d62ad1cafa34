-- Counts a request. The answer: how many there have been, how many generations, the version of what is in force, when an
-- end is due next, and whether ids of requests may repeat, since an account was dropped or reset.
local _, provider, account, fresh, accounts_kept = unpack(ARGV)
local number, submissions = 0, '0'
if account == '' then
  number = call('HINCRBY', at .. 'n', 'anonymous', 1)
else
  local owner = provider .. '/' .. account
  local row = at .. 'account:' .. owner
  local has = call('HMGET', row, 'opening', 'submissions')
  if not has[1] then
    -- part: open_account
  end
  number, submissions = call('HINCRBY', row, 'requests', 1), has[2] or '0'
end
local due = call('ZRANGE', at .. 'queue:f', 0, 0, 'WITHSCORES')[2] or ''
return { number, submissions, call('HGET', root, 'version'), due, call('HEXISTS', at .. 'n', 'dropped accounts') }
