"""Measures servers in turns: A B C, A B C, … so that other load on the machine meets all of them alike."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load import Load, Request, load
from benchmarks.processes import ROOT, SERVER_CPU, Process, free_port
from benchmarks.scale import Scale

TURN = 1.0
"""Seconds of a turn at most. The other load on a machine changes within seconds: it meets short turns that follow one
another more alike, and many of them average out what is left."""


def nothing(_: "Running") -> None:
    """What happens before a turn, mostly."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server: the command that serves on a port, and what it is asked. `before` each turn something may be done."""

    name: str
    command: Callable[[int], Sequence[str]]
    request: Request
    before: Callable[["Running"], None] = nothing
    cwd: Path = ROOT
    env: Mapping[str, str] = field(default_factory=dict)
    cores: tuple[int, ...] = (SERVER_CPU,)


@dataclass(frozen=True, slots=True)
class Running:
    """A candidate that listens."""

    candidate: Candidate
    process: Process
    port: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one candidate; `cpu` is the server's, in microseconds a request."""

    cpu: float
    load: Load


def start(stack: ExitStack, candidate: Candidate) -> Running:
    """Serve until the stack ends. Raises Broken."""
    port = free_port()
    command = candidate.command(port)
    process = stack.enter_context(Process(command, cpu=candidate.cores, cwd=candidate.cwd, env=candidate.env))
    process.until_open(port)
    return Running(candidate, process, port)


def turn(running: Running, connections: int, seconds: float) -> Turn:
    """Load it once and read what that has cost."""
    running.candidate.before(running)
    before = running.process.cpu()
    found = load(running.port, running.candidate.request, connections, seconds)
    return Turn(1e6 * (running.process.cpu() - before) / found.requests, found)


def measure_in_turns(field_: Sequence[Running], scale: Scale) -> dict[str, list[Turn]]:
    """Every one's turns by name, after a warm-up each: `rounds` of `seconds`, in turns of `TURN`. Raises Broken."""
    seconds = min(scale.seconds, TURN)
    for running in field_:
        turn(running, scale.connections, scale.warm_up)
    turns: dict[str, list[Turn]] = {running.candidate.name: [] for running in field_}
    for _ in range(round(scale.rounds * scale.seconds / seconds)):
        for running in field_:
            turns[running.candidate.name].append(turn(running, scale.connections, seconds))
    return turns


def cpu_ratios(turns: Mapping[str, Sequence[Turn]], name: str, ceiling: str = "bare aiohttp") -> list[float]:
    """Pair by pair, the ceiling's CPU per request by that of `name`: 1 is the ceiling, higher is better.

    A turn so short that the kernel counted no CPU time for it (in ticks of 10 ms) is left out.
    """
    return [other.cpu / own.cpu for own, other in zip(turns[name], turns[ceiling], strict=True) if own.cpu]
