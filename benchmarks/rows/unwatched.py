"""A submission to a server whose live page was open once, against one that was never looked at."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPConnection

from benchmarks.candidates import EVOLINK, answer_of, ours, reset
from benchmarks.figures import Figure
from benchmarks.load import harness
from benchmarks.processes import Broken
from benchmarks.rounds import Running, cpu_ratios, measure_in_turns, start
from benchmarks.scale import Scale

ROW = "evolink submission, page closed again"
LOOKED_AT, NEVER = "looked at once", "never looked at"
LEAST = 0.97
READ_BY_THE_PAGE = ("providers", "health", "clock", "tasks", "requests?view=summary", "callbacks", "accounts", "faults")


def measure(scale: Scale) -> Sequence[Figure]:
    with ExitStack() as stack:
        field = [start(stack, ours(name, EVOLINK, before=reset)) for name in (LOOKED_AT, NEVER)]
        look(field[0].port)
        watch(field[0])
        time.sleep(scale.rest)
        turns = measure_in_turns(field, scale)
    ratios, cost = cpu_ratios(turns, LOOKED_AT, NEVER), [turn.cpu for turn in turns[LOOKED_AT]]
    return [
        Figure(ROW, f"CPU, {NEVER} ÷ {LOOKED_AT}", "×", ratios, harness(), LEAST, LEAST),
        Figure(ROW, f"{LOOKED_AT}: CPU per request", "µs", cost, harness(), better="lower"),
    ]


def look(port: int) -> None:
    """Load the page, and read what it reads. Raises Broken."""
    for path in ("", "main.js", "style.css", "advice", *READ_BY_THE_PAGE):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", f"/_mock/{path}")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            raise Broken(f"GET /_mock/{path} answered {answer.status}")


def watch(running: Running) -> None:
    """Follow the events until one comes, and leave; the next ones make the server see that. Raises Broken."""
    connection = HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request("GET", "/_mock/events")
    stream = connection.getresponse()
    stream.readline()
    answer_of(running)
    line = b"-"
    while line and line != b"event: request\n":
        line = stream.readline()
    connection.close()
    if not line:
        raise Broken("the events ended before there was one")
    for _ in range(2):
        answer_of(running)
