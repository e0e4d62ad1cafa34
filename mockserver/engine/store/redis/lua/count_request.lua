-- uses: account
local _, provider, account, fresh, bound = unpack(ARGV)
local number, submissions = 0, '0'
if account == '' then
  number = call('HINCRBY', at .. 'n', 'anonymous', 1)
else
  local row = open_account(provider .. '/' .. account, fresh, bound)
  number = call('HINCRBY', row, 'requests', 1)
  submissions = call('HGET', row, 'submissions') or '0'
end
local due = call('ZRANGE', at .. 'queue:f', 0, 0, 'WITHSCORES')[2] or ''
return { number, submissions, call('HGET', root, 'version'), due, call('HEXISTS', at .. 'n', 'dropped accounts') }
