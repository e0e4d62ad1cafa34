-- What is in force, with the version that every change of it counts up, and the store's time.
local function changed()
  call('HINCRBY', root, 'version', 1)
end
local function put_state(fields)
  call('HSET', at .. 'state', 'at', moment(), unpack(fields))
  changed()
end
local function in_force()
  local rules = {}
  for _, id in ipairs(call('LRANGE', at .. 'rules', 0, -1)) do
    rules[#rules + 1] = call('HGET', at .. 'rule', id)
  end
  local known = call('HMGET', root, 'version', 'instance')
  local state = call('HMGET', at .. 'state', 'mode', 'instant', 'speed', 'at', 'seed', 'seeded', 'autojump', 'routes')
  return { known[1], known[2], moment(), call('HGET', at .. 'n', 'rules') or '0', state, rules }
end
