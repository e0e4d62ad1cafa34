-- uses: watch
-- part: even_when_full
watch(ARGV[2])
