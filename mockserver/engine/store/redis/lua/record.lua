-- The record of a table under an id, as it is kept.
return call('HGET', at .. ARGV[2], ARGV[3])
