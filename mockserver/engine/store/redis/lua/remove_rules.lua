-- uses: moment in_force tell
local gone = 0
-- part: even_when_full
for i = 2, #ARGV do
  if call('HDEL', at .. 'rule', ARGV[i]) == 1 then
    call('LREM', at .. 'rules', 0, ARGV[i])
    call('HDEL', at .. 'matches', ARGV[i])
    gone = gone + 1
  end
end
if gone > 0 then
  changed()
  tell('state', '')
end
return { gone, in_force() }
