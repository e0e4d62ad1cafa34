-- Tells the other processes of what concerns only those that watch: `watchers` has them.
local function tell_watchers(kind, name)
  if call('EXISTS', root .. ':watchers') == 1 then
    tell(kind, name)
  end
end
