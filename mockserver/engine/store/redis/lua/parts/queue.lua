-- Events to come, by kind: f (a task ends) and a (an attempt of a callback). A member of a queue is its place in the
-- order of planning, in 15 digits, and its id. A claimed event is out of the queue: its process, its time, its member.
local function queue(kind)
  return at .. 'queue:' .. kind
end
local function unplan(kind, id)
  local member = call('HGET', at .. 'planned', kind .. id)
  if member then
    call('ZREM', queue(kind), member)
    call('HDEL', at .. 'planned', kind .. id)
  else
    call('HDEL', at .. 'claimed', kind .. id)
  end
end
local function put_back(kind, id, due, member)
  call('ZADD', queue(kind), due, member)
  call('HSET', at .. 'planned', kind .. id, member)
end
local function plan(kind, due, id)
  put_back(kind, id, due, string.format('%015.0f', call('HINCRBY', at .. 'n', 'seq', 1)) .. id)
end
local function claim_of(value)
  return string.match(value, '^([^\n]*)\n([^\n]*)\n(.*)$')
end
