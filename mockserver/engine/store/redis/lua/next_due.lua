-- uses: queue
local _, finish = head('f')
local _, attempt = head('a')
return { finish or '', attempt or '' }
