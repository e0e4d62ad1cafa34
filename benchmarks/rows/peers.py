"""Other mock servers that answer with fixed text, compared with this server's submission and with bare aiohttp."""

from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.candidates import EVOLINK, answer_of, bare_submission, loops, ours, reset
from benchmarks.figures import Figure, ratios
from benchmarks.load import harness
from benchmarks.peers import PEERS, Peer
from benchmarks.processes import Broken
from benchmarks.rounds import Running, cpu_ratios, measure_in_turns, start, turn
from benchmarks.scale import Scale

ROW = "evolink submission and peers"
RIVAL = PEERS[0].name


def measure(scale: Scale) -> Sequence[Figure]:
    if not scale.peers:
        return []
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        field = [start(stack, ours(f"ours, {loop}", EVOLINK, loop=loop, before=reset)) for loop in loops()]
        answer = answer_of(field[0])
        field.append(start(stack, bare_submission(answer)))
        for peer in PEERS:
            try:
                field.append(_ready(stack, peer, answer))
            except Broken as error:
                missing[peer.name] = " ".join(str(error).split())[-160:]
        turns = measure_in_turns(field, scale)
    figures = []
    for name in (*(f"ours, {loop}" for loop in loops()), *(peer.name for peer in PEERS)):
        values = cpu_ratios(turns, name) if name in turns else []
        figures.append(Figure(ROW, f"{name}: CPU, ceiling ÷ it", "×", values, harness(), note=missing.get(name, "")))
    for name in (f"ours, {loop}" for loop in loops()):
        if RIVAL in turns:
            cpu = ratios([own.cpu for own in turns[name]], [other.cpu for other in turns[RIVAL]])
            figures.append(Figure(ROW, f"{name}: CPU, {RIVAL} ÷ ours", "×", cpu, harness(), None, 1.0))
    if RIVAL in turns:
        figures.append(
            Figure(ROW, f"{RIVAL}: p99", "ms", [one.load.p99 for one in turns[RIVAL]], harness(), better="lower")
        )
    return figures


def _ready(stack: ExitStack, peer: Peer, answer: object) -> Running:
    """A peer that runs and answers without an error."""
    peer.install()
    running = start(stack, peer.candidate(answer))
    answer_of(running)
    turn(running, 2, 1)
    return running
