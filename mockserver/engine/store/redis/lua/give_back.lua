-- uses: queue
-- Puts events ("f" or "a" and the id) that this process has claimed and will not run back into their queue.
for i = 2, #ARGV do
  local process, due, member = claim_of(call('HGET', at .. 'claimed', ARGV[i]) or '')
  if process == me then
    call('HDEL', at .. 'claimed', ARGV[i])
    put_back(string.sub(ARGV[i], 1, 1), string.sub(ARGV[i], 2), due, member)
  end
end
