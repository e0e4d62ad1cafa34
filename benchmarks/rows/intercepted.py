"""An intercepted submission against a plain one, on a kept connection; and what exec adds to the start of a command."""

import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPSConnection

from benchmarks.figures import Figure
from benchmarks.processes import Process, ask, free_port
from benchmarks.scale import Scale

ROW = "intercepted submission"
START = "exec: start of CMD"
HOST = "api.evolink.ai"
BODY = b'{"model": "gpt-image-2-beta", "prompt": "a fox"}'
HEADERS = {"Authorization": "Bearer k", "Content-Type": "application/json"}
STALL_MS = 5.0
WITH = "http.client, one kept connection"


def measure(scale: Scale) -> Sequence[Figure]:
    plain_cpu, led_cpu, waits = [], [], []
    port, proxy = free_port(), free_port()
    command = [sys.executable, "-m", "mockserver", "serve", "--quiet", "--latency", "instant", "--balance", str(10**9)]
    with Process([*command, "--port", str(port), "--proxy-port", str(proxy)]) as process:
        process.until_open(port)
        process.until_open(proxy)
        ca_pem = ask(port, "GET", "/_mock/proxy")["ca_pem"]
        with _plain(port) as plain, _led(proxy, ca_pem) as led:
            for _ in range(scale.rounds):
                plain_cpu.append(_turn(process, plain, "/evolink/v1/images/generations", scale.seconds)[0])
                cpu, times = _turn(process, led, "/v1/images/generations", scale.seconds)
                led_cpu.append(cpu)
                waits.append(1e3 * sorted(times)[int(0.99 * len(times))])
    direct = [_seconds_to_start([]) for _ in range(scale.starts)]
    under_exec = [_seconds_to_start([sys.executable, "-m", "mockserver", "exec", "--"]) for _ in range(scale.starts)]
    cost = [own / other for own, other in zip(led_cpu, plain_cpu, strict=True)]
    added = [own - other for own, other in zip(under_exec, direct, strict=True)]
    return [
        Figure(ROW, "CPU, intercepted ÷ plain", "×", cost, WITH, 1.5, 1.3, "lower"),
        Figure(ROW, "p99", "ms", waits, WITH, STALL_MS, better="lower"),
        Figure(START, "added", "s", added, "date", 0.4, 0.3, "lower"),
    ]


@contextmanager
def _plain(port: int) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        yield connection


@contextmanager
def _led(proxy: int, ca_pem: str) -> Iterator[HTTPConnection]:
    context = ssl.create_default_context(cadata=ca_pem)
    with closing(HTTPSConnection("127.0.0.1", proxy, timeout=10, context=context)) as connection:
        connection.set_tunnel(HOST, 443)
        yield connection


def _turn(process: Process, connection: HTTPConnection, path: str, seconds: float) -> tuple[float, list[float]]:
    """The server's CPU seconds for a submission, and what each took."""
    times: list[float] = []
    before, ends = process.cpu(), time.monotonic() + seconds
    while (begun := time.monotonic()) < ends:
        connection.request("POST", path, BODY, HEADERS)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        times.append(time.monotonic() - begun)
    return (process.cpu() - before) / len(times), times


def _seconds_to_start(prefix: Sequence[str]) -> float:
    """From now until a command runs, which tells the time."""
    begun = time.time()
    done = subprocess.run([*prefix, "date", "+%s.%N"], capture_output=True, text=True, timeout=30, check=True)
    return float(done.stdout) - begun
