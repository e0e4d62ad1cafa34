return {
  call('ZRANGE', at .. 'queue:f', 0, 0, 'WITHSCORES')[2] or '',
  call('ZRANGE', at .. 'queue:a', 0, 0, 'WITHSCORES')[2] or '',
}
