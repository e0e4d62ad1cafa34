-- A server whose memory is full lets a script go on that has written before: this deletes nothing.
call('HDEL', root, '')
