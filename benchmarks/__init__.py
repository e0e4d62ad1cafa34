"""Side by side with peers: what a request costs, and what else was promised in numbers. `scripts/bench` runs it.

__main__    arguments in, one table out
scale       how much is done: quick, whole, long
rows/       the table, a file for each line of it
contest     servers measured in turn, A B C A B C …, so that what else the machine does befalls all of them alike
contestants this server and the ceiling (bare aiohttp); peers: everybody else, installed where that can be done
load        wrk, or where it is missing the generator beside it
processes   start, read CPU time and memory from /proc, end by pid
figures     what was measured: lowest, median, highest, and what was to be reached
report      the table, as text, as JSON, and in docs/performance.md
stands/     what runs in processes of its own: servers to measure, a receiver, pieces measured from inside
"""
