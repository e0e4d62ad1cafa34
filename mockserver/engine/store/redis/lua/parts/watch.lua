-- Lets the other processes know whether this one watches.
local function watch(watches)
  if watches == '1' then
    call('HSET', root .. ':watchers', me, 1)
  else
    call('HDEL', root .. ':watchers', me)
  end
end
