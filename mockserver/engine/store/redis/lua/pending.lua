return {
  call('HLEN', at .. 'open'),
  call('HLEN', at .. 'callback') - call('ZCARD', at .. 'callback:ended'),
  call('ZCARD', at .. 'queue:a'),
}
