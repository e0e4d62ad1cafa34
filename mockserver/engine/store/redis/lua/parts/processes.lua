-- The processes that live: each with the number of its latest beat. One that is found dead is taken out.
local processes = root .. ':processes'
local function lives(process)
  return call('HEXISTS', processes, process) == 1
end
