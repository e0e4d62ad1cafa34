-- Tasks and callbacks, by id. A value is a head of five lines and the record: its place in the order (of an entry: the
-- token that it was opened under), its provider, its account, and two names of it: a task's trace id and idempotency
-- key, a callback's task.
local function head_of(value)
  return string.match(value, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n')
end
local function body_of(value)
  return string.sub(value, string.find(value, '\n', 1, true) + 1)
end
local function add(kind, id, provider, account, body)
  local order = string.format('%.0f', call('HINCRBY', at .. 'n', 'seq', 1))
  call('HSET', at .. kind, id, order .. '\n' .. body)
  call('ZADD', at .. kind .. ':of:' .. provider, order, id)
  call('ZADD', at .. kind .. ':by:' .. account, order, id)
end
local function replace(kind, id, old, body)
  call('HSET', at .. kind, id, string.sub(old, 1, string.find(old, '\n', 1, true)) .. body)
end
local function forget_name(account, name, id)
  if name ~= '' and call('HGET', at .. 'names:' .. account, name) == id then
    call('HDEL', at .. 'names:' .. account, name)
  end
end
local function remove(kind, id)
  local _, provider, account, first, second = head_of(call('HGET', at .. kind, id))
  call('HDEL', at .. kind, id)
  call('ZREM', at .. kind .. ':of:' .. provider, id)
  call('ZREM', at .. kind .. ':by:' .. account, id)
  call('ZREM', at .. kind .. ':ended', id)
  if kind == 'task' then
    forget_name(account, first, id)
    forget_name(account, second, id)
  elseif call('HGET', at .. 'callback of', first) == id then
    call('HDEL', at .. 'callback of', first)
  end
end
-- of the ended records the newest `bound` stay
local function drop_oldest(kind, bound)
  while call('ZCARD', at .. kind .. ':ended') > tonumber(bound) do
    remove(kind, call('ZPOPMIN', at .. kind .. ':ended')[1])
    call('HINCRBY', at .. 'n', 'dropped ' .. kind, 1)
  end
end
local function retire(kind, id, bound)
  call('ZADD', at .. kind .. ':ended', call('HINCRBY', at .. 'n', 'seq', 1), id)
  drop_oldest(kind, bound)
end
