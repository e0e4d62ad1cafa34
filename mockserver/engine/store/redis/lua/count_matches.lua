-- Puts a rule's counts ("matched fired") in place of those that were read: 1; else the counts as they are; nil: it is gone.
local _, id, before, after = unpack(ARGV)
if call('HEXISTS', at .. 'rule', id) == 0 then
  return nil
end
local counts = call('HGET', at .. 'matches', id) or '0 0'
if counts ~= before then
  return counts
end
call('HSET', at .. 'matches', id, after)
return 1
