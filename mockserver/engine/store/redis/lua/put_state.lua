-- uses: in_force tell
-- Changes fields of the state; a clock among them is the clock of this moment.
put_state({ unpack(ARGV, 2) })
tell('state', '')
return in_force()
