-- uses: tables
-- Up to `count` records of a table, newest first, of the merged orders that are named, behind a place: "" (the newest),
-- "id" (behind that record) or "at" (behind a place in the order). Of these, those of a provider ("" is every one) and
-- of some accounts (none named: of every one). The answer: the place reached ("" at the end), then ids and values.
local _, kind, provider, count, behind, place, sources = unpack(ARGV, 1, 7)
count, sources = tonumber(count), tonumber(sources)
local accounts, filtered = {}, false
for i = 8 + sources, #ARGV do
  accounts[ARGV[i]], filtered = true, true
end
local function wanted(value)
  local _, its_provider, account = head_of(value)
  return (provider == '' or provider == its_provider) and (not filtered or accounts[account])
end
local below = '+inf'
if behind == 'at' then
  below = '(' .. place
elseif behind == 'id' then
  local found
  for i = 8, 7 + sources do
    found = found or call('ZSCORE', at .. ARGV[i], place)
  end
  if not found or not wanted(call('HGET', at .. kind, place)) then
    return { '' }
  end
  below = '(' .. found
end
local reached = {}
for i = 8, 7 + sources do
  local part = call('ZREVRANGEBYSCORE', at .. ARGV[i], below, '-inf', 'WITHSCORES', 'LIMIT', 0, count)
  for j = 1, #part, 2 do
    reached[#reached + 1] = { part[j], tonumber(part[j + 1]) }
  end
end
if sources > 1 then
  table.sort(reached, function(one, other) return one[2] > other[2] end)
end
local answer = { #reached >= count and string.format('%.0f', reached[count][2]) or '' }
for i = 1, math.min(count, #reached) do
  local value = call('HGET', at .. kind, reached[i][1])
  if wanted(value) then
    answer[#answer + 1] = reached[i][1]
    answer[#answer + 1] = value
  end
end
return answer
