"""Side by side with peers: what a request costs, and what else was promised in numbers. `scripts/bench` runs it.

__main__    arguments in, one table out
scale       how much is done: quick, whole, long
rows/       the table, a file for each line of it
rounds      measures servers in turns, A B C A B C …, so that other load on the machine meets all of them alike
candidates  this server and the ceiling (bare aiohttp); peers: everybody else, installed where that can be done
load        wrk, or where it is missing the generator beside it
processes   start, read CPU time and memory from /proc, end by pid
figures     what was measured: lowest, median, highest, and what was to be reached
report      the table, as text, as JSON, and in docs/performance.md
servers/    programs that run in processes of their own: servers to measure, a receiver, parts measured from inside
"""
