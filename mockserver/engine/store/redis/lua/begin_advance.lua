-- uses: processes
local advancing = call('GET', at .. 'advance')
if advancing and advancing ~= me and lives(advancing) then
  return 0
end
-- part: even_when_full
call('SET', at .. 'advance', me)
return 1
