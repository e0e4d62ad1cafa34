-- Tells the other processes of a change, if there are any.
local function tell(kind, name)
  if call('HLEN', root .. ':processes') > 1 then
    call('XADD', root .. ':changes', 'MAXLEN', '~', 20000, '*', kind, name, 'by', me)
  end
end
