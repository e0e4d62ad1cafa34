if call('GET', at .. 'advance') == me then
  call('DEL', at .. 'advance')
end
