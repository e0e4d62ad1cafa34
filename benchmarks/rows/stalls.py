"""The latency of a submission while other clients fetch 4K pictures, each of a different task."""

from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from benchmarks.candidates import EVOLINK, answer_of, get, ours, post, reset
from benchmarks.figures import Figure
from benchmarks.load import Loading, harness, load
from benchmarks.rounds import start
from benchmarks.scale import Scale

ROW = "POST while 4K pictures are fetched"
FOUR_K = post("/xhuoapi/v1/openai/images/generations", model="gpt-image-2", size="3840x2160")
TASKS, POSTING, FETCHING = 40, 4, 2


def measure(scale: Scale) -> Sequence[Figure]:
    alone, together, fetched = [], [], []
    with ExitStack() as stack:
        port = (server := start(stack, ours("ours", EVOLINK, latency="instant"))).port
        for _ in range(scale.rounds):
            alone.append(load(port, EVOLINK, POSTING, scale.seconds).p99)
            reset(server)  # of ended tasks the newest 100,000 are kept, and the pictures' are to be among them
            urls = [answer_of(server, FOUR_K)["data"][0]["url"] for _ in range(TASKS)]
            pictures = get(*(urlsplit(url).path for url in urls))
            fetching = Loading(port, pictures, FETCHING, scale.seconds)
            together.append(load(port, EVOLINK, POSTING, scale.seconds).p99)
            found = fetching.result()
            fetched.append(found.requests / found.seconds)
    with_ = f"{harness()}, {POSTING} connections post, {FETCHING} fetch"
    return [
        Figure(ROW, "p99", "ms", together, with_, 10, 3, "lower"),
        Figure(ROW, "p99 without the pictures", "ms", alone, with_, better="lower"),
        Figure(ROW, "pictures fetched meanwhile", "/s", fetched, with_),
    ]
