"""This server, through its own command line, and the ceiling: bare aiohttp."""

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks.load import COUNTER, Request
from benchmarks.processes import ask
from benchmarks.rounds import Candidate, Running

PROMPT = f"A beautiful colorful sunset over the ocean, number {COUNTER}"
KEY = {"Authorization": "Bearer sk_bench"}
SUBMISSION = "/v1/images/generations"
LONG = "600-900"
"""A latency, in seconds, at which no task ends during a measurement."""


def post(path: str, **fields: Any) -> Request:
    """A generation with a prompt of its own each time."""
    return Request("POST", (path,), json.dumps({**fields, "prompt": PROMPT}), KEY)


def get(*paths: str) -> Request:
    return Request("GET", paths, headers=KEY)


EVOLINK = post(f"/evolink{SUBMISSION}", model="gpt-image-2-beta")
ICODEEASY = post(f"/icodeeasy{SUBMISSION}", model="gpt-image-2")
XHUOAPI = post("/xhuoapi/v1/openai/images/generations", model="gpt-image-2", size="1024x1024")


def loops() -> tuple[str, ...]:
    """The event loops that this server runs on here."""
    return ("asyncio", "uvloop") if find_spec("uvloop") else ("asyncio",)


def ours(name: str, request: Request, *, latency: str = LONG, loop: str = "asyncio", **more: Any) -> Candidate:
    """`mockserver serve` on an event loop.

    `heartbeat` is a file for its longest stalls. Without `quiet` it writes its lines, to a file, as scripts/serve does.
    `options` are more options of the command.
    """
    added = [*(["--quiet"] if more.pop("quiet", True) else []), *more.pop("options", ())]
    heartbeat = str(more.pop("heartbeat", "-"))

    def command(port: int) -> Sequence[str]:
        options = ["--port", str(port), "--latency", latency, "--balance", "100000000", *added]
        return [sys.executable, "-m", "benchmarks.servers.ours", loop, heartbeat, "serve", *options]

    return Candidate(name, command, request, **more)


def bare(request: Request, answer: Any, name: str = "bare aiohttp") -> Candidate:
    """aiohttp's own server: it parses a JSON body if there is one, and answers as much JSON as we do."""

    def command(port: int) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.servers.bare", str(port), json.dumps(answer)]

    return Candidate(name, command, request)


def answer_of(running: Running, request: Request | None = None) -> Any:
    """A server's answer to one request: to its candidate's, or to `request`."""
    asked = request or running.candidate.request
    body = asked.body.replace(COUNTER, "0" * 9).encode() or None
    headers = {**asked.headers, **({"Content-Type": "application/json"} if body else {})}
    return ask(running.port, asked.method, asked.paths[0], body, headers)


def reset(running: Running) -> None:
    """Reset one of our servers, and wait until it has freed what it forgot: the next turn is not charged for that."""
    ask(running.port, "POST", "/_mock/reset")
    running.process.until_idle()


def bare_submission(answer: Any) -> Candidate:
    return bare(Request("POST", (SUBMISSION,), EVOLINK.body, KEY), answer)
