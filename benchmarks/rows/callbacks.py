"""Callbacks to a receiver in a process of its own: the highest rate, and the delay at 1,000 a second."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.figures import Figure
from benchmarks.processes import LOAD_CPU, Broken, Process, ask, free_port, run_json
from benchmarks.scale import Scale

ROW = "callbacks"
WITH = "benchmarks/servers/receiver.py"
FLOOD, STEADY = 50_000, 1_000
"""Callbacks that fall due in a second: more than can be sent, and what is asked for."""


def deliver(stack: ExitStack, count: int, rate: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Let so many tasks end at a rate; what the server says of it, and when (Unix seconds) each task's call arrived."""
    port = free_port()
    receiver = Process([sys.executable, "-m", "benchmarks.servers.receiver", str(port)], cpu=LOAD_CPU)
    stack.enter_context(receiver).until_open(port)
    command = [sys.executable, "-m", "benchmarks.servers.delivery", str(port), str(count), str(rate)]
    told = run_json(command, timeout=30 + count / 500 + count / rate)
    arrived = ask(port, "GET", "/")
    if len(arrived) != count:
        raise Broken(f"{len(arrived)} of {count} callbacks arrived")
    return told, arrived


def measure(scale: Scale) -> Sequence[Figure]:
    rates, costs = [], []
    for _ in range(scale.rounds):
        with ExitStack() as stack:
            told, arrived = deliver(stack, scale.callbacks, FLOOD)
        rates.append(scale.callbacks / (max(arrived.values()) - min(told["due"].values())))
        costs.append(scale.callbacks / told["cpu"])
    with ExitStack() as stack:
        told, arrived = deliver(stack, round(STEADY * scale.late_seconds), STEADY)
    late = sorted(1e3 * (arrived[task] - due) for task, due in told["due"].items())
    return [
        Figure(ROW, "delivered", "/s", rates, WITH, 3_000, 8_000),
        Figure(ROW, "delivered in a second of the server's CPU", "/s", costs, WITH),
        Figure(ROW, f"latest at {STEADY:,}/s", "ms", [late[-1]], WITH, 50, 50, "lower"),
        Figure(ROW, f"p99 late at {STEADY:,}/s", "ms", [late[len(late) * 99 // 100]], WITH, better="lower"),
    ]
