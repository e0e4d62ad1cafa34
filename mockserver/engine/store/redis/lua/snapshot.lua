-- uses: moment in_force
-- Copies everything but the journal to a generation of its own: its number, its accounts' owners, its sinks.
local copy = string.format('%.0f', call('HINCRBY', root, 'generations', 1))
call('HSET', root .. ':made', copy, me)
local to = root .. ':' .. copy .. ':'
local function take(name)
  call('COPY', at .. name, to .. name)
end
local fixed = { 'task', 'callback', 'open', 'queue:f', 'queue:a', 'claimed', 'n', 'rules', 'rule', 'matches', 'state' }
for _, name in ipairs(fixed) do
  take(name)
end
local owners, sinks = call('ZRANGE', at .. 'accounts', 0, -1), call('ZRANGE', at .. 'sinks', 0, -1)
for _, owner in ipairs(owners) do
  take('account:' .. owner)
  take('usage:' .. owner)
  take('recent:' .. owner)
end
take('received:dropped')
for _, name in ipairs(sinks) do
  take('script:' .. name)
  take('received:' .. name)
end
return { copy, owners, sinks }
