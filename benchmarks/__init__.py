"""Benchmarks: this server compared with bare aiohttp and with other mock servers. `scripts/bench` runs them.

__main__    the command line: prints one table
scale       the sizes of a run: quick, whole, long
rows/       the table, a file for each row
rounds      measures servers in turns, A B C A B C …, so that other load on the machine affects all of them equally
candidates  this server and the ceiling (bare aiohttp); peers: other mock servers, installed where possible
load        wrk, or the generator in this folder if wrk is missing
processes   starts processes, reads CPU time and memory from /proc, ends them by pid
figures     results: lowest, median, highest, and the goals
report      the table, as text, as JSON, and in docs/performance.md
servers/    programs that run in processes of their own: servers to measure, a receiver, parts measured from inside
"""
