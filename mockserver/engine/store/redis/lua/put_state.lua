-- uses: moment in_force tell
-- Changes fields of the state; a clock among them is the clock of this moment.
-- part: even_when_full
put_state({ unpack(ARGV, 2) })
tell('state', '')
return in_force()
