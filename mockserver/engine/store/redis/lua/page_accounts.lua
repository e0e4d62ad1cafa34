-- As page.lua, for accounts: `owner` is "provider/account". Of `count` accounts, those that are wanted, as their rows.
local _, provider, count, behind, place = unpack(ARGV, 1, 5)
count = tonumber(count)
local accounts = {}
for i = 6, #ARGV do
  accounts[ARGV[i]] = true
end
local below = '+inf'
if behind == 'at' then
  below = '(' .. place
elseif behind == 'id' then
  local found = call('ZSCORE', at .. 'accounts', place)
  if not found then
    return { '' }
  end
  below = '(' .. found
end
local reached = call('ZREVRANGEBYSCORE', at .. 'accounts', below, '-inf', 'WITHSCORES', 'LIMIT', 0, count)
local answer = { #reached == 2 * count and reached[#reached] or '' }
for i = 1, #reached, 2 do
  local its_provider, account = string.match(reached[i], '^([^/]*)/(.*)$')
  if (provider == '' or provider == its_provider) and (#ARGV < 6 or accounts[account]) then
    answer[#answer + 1] = reached[i]
    answer[#answer + 1] = call('HGETALL', at .. 'account:' .. reached[i])
  end
end
return answer
