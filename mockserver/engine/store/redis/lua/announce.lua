-- uses: tell
tell(ARGV[2], ARGV[3])
