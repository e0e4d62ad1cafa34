"""Loads a server with wrk, or with generator.py if wrk is missing. Both repeat the same raw requests.

Both are closed loops: a connection sends the next request as soon as it has its answer. A generator that sleeps in
between would cost the server a wake-up for each write.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from subprocess import run
from typing import Any

from benchmarks.idle_cores import possible
from benchmarks.processes import LOAD_CPU, Broken, Process

DIGITS = 9
COUNTER = "%N%"
"""A placeholder in a body for a number of nine digits, different in each request."""


@dataclass(frozen=True, slots=True)
class Request:
    """The request that is repeated; several paths are used in turn."""

    method: str
    paths: Sequence[str]
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def raw(self, port: int) -> list[str]:
        """The request as it goes over the wire, one for each path."""
        headers = {"Host": f"127.0.0.1:{port}", **self.headers}
        if self.body:
            length = len(self.body.replace(COUNTER, "0" * DIGITS))
            headers |= {"Content-Type": "application/json", "Content-Length": str(length)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return [f"{self.method} {path} HTTP/1.1\r\n{lines}\r\n{self.body}" for path in self.paths]


@dataclass(frozen=True, slots=True)
class Load:
    """The results of one turn; latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    longest: float


_SCRIPT = """
local texts, n = {%s}, 0
for i, text in ipairs(texts) do
  local at = string.find(text, "%s", 1, true)
  texts[i] = at and {string.sub(text, 1, at - 1), string.sub(text, at + %d)} or {text}
end
request = function()
  n = n + 1
  local text = texts[n %% #texts + 1]
  return text[2] and text[1] .. string.format("%%0%dd", n) .. text[2] or text[1]
end
done = function(summary, latency)
  local e = summary.errors
  print(string.format(
    '{"requests": %%d, "seconds": %%.6f, "p50": %%.3f, "p99": %%.3f, "longest": %%.3f, "errors": %%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def script(raw: Sequence[str]) -> str:
    """wrk's Lua script. The requests are ASCII, so their JSON strings are Lua strings too."""
    return _SCRIPT % (", ".join(map(json.dumps, raw)), COUNTER, len(COUNTER), DIGITS)


@cache
def harness() -> str:
    """What loads the servers on this machine, with its version."""
    cores = ", cores awake" if possible() else ", cores may sleep"
    if not shutil.which("wrk"):
        return f"benchmarks/generator.py{cores}"
    said = run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout
    return (" ".join(said.split()[:2]) or "wrk") + cores


class Loading:
    """A load that has begun, from `connections` keep-alive connections for so many seconds."""

    def __init__(self, port: int, request: Request, connections: int, seconds: float, *, plain: bool = False) -> None:
        self._seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="mockserver-bench-")
        raw = request.raw(port)
        if shutil.which("wrk") and not plain and seconds >= 1:
            path = Path(self._folder.name) / "load.lua"
            path.write_text(script(raw), "ascii")
            duration, url = f"-d{round(seconds)}s", f"http://127.0.0.1:{port}/"
            command = ["wrk", "-t1", f"-c{connections}", duration, "--timeout", "10s", "-s", str(path), url]
        else:
            spec = {"port": port, "texts": raw, "connections": connections, "seconds": seconds}
            command = [sys.executable, "-m", "benchmarks.generator", json.dumps(spec)]
        self._process = Process(command, cpu=LOAD_CPU)

    def result(self) -> Load:
        """What it came to. Raises Broken if any answer was an error."""
        try:
            found: dict[str, Any] = json.loads(self._process.output(self._seconds + 20).splitlines()[-1])
        finally:
            self._process.end()
            self._folder.cleanup()
        errors = found.pop("errors")
        if errors or not found["requests"]:
            raise Broken(f"{errors} errors in {found['requests']} answers")
        return Load(**found)


def load(port: int, request: Request, connections: int, seconds: float) -> Load:
    """Load a server and wait for the end."""
    return Loading(port, request, connections, seconds).result()
