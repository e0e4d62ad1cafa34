-- uses: processes queue
local ids, all = {}, call('HGETALL', at .. 'claimed')
for i = 1, #all, 2 do
  local process = claim_of(all[i + 1])
  if process ~= me and lives(process) then
    ids[#ids + 1] = string.sub(all[i], 2)
  end
end
return ids
