-- The store's time, in Unix seconds.
local function moment()
  local clock = call('TIME')
  return string.format('%s.%06d', clock[1], clock[2])
end
