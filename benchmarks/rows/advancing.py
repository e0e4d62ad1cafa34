"""An advance over many callbacks, all due at one instant, to a receiver in a process of its own."""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from benchmarks.candidates import EVOLINK, ours
from benchmarks.figures import Figure
from benchmarks.load import load
from benchmarks.processes import LOAD_CPU, Broken, Process, ask, free_port
from benchmarks.rounds import start
from benchmarks.scale import Scale

HOST = "https://app.example.com"
WITH = "benchmarks/servers/receiver.py"


def measure(scale: Scale) -> Sequence[Figure]:
    port = free_port()
    options = ["--clock", "virtual", "--callback-route", f"{HOST}=http://127.0.0.1:{port}"]
    bound = str(2 * scale.advanced + 100_000)
    options += ["--keep-tasks", bound, "--keep-callbacks", bound]
    body = json.dumps({**json.loads(EVOLINK.body), "callback_url": f"{HOST}/hook"})
    with ExitStack() as stack:
        receiver = Process([sys.executable, "-m", WITH.removesuffix(".py").replace("/", "."), str(port)], cpu=LOAD_CPU)
        stack.enter_context(receiver).until_open(port)
        server = start(stack, ours("advance", EVOLINK, latency="10-10", options=options))
        while (tasks := ask(server.port, "GET", "/_mock/health")["pending"]["tasks"]) < scale.advanced:
            load(server.port, replace(EVOLINK, body=body), scale.connections, scale.seconds)
        before = time.perf_counter()
        ran = ask(server.port, "POST", "/_mock/clock/advance", b'{"seconds": 10}')
        seconds = time.perf_counter() - before
        arrived = len(ask(port, "GET", "/"))
    if arrived != tasks or ran["ran_total"] != 2 * tasks:
        raise Broken(f"{arrived} of {tasks} callbacks arrived, {ran['ran_total']} events ran")
    row = f"advance over {scale.advanced:,} callbacks"
    return [Figure(row, "callbacks delivered", "/s", [tasks / seconds], WITH, 4_000, 7_000)]
