"""A small webhook receiver: `python -m contract_tests.receiver --host 0.0.0.0 --port 9000`.

`POST {base}/{name}` is recorded and answered by the name's script (200 without one); `GET {base}/{name}` reads what was
received, `PUT {base}/{name}` sets the script: `{"responses": [500, {"status": 200, "delay": 11}]}`. The base has a
random part, so that others can neither read nor fill it. Bounded: the oldest names are dropped.
"""

import argparse
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

KEPT_HEADERS = ("content-type", "user-agent")
MOST_NAMES, MOST_PER_NAME, LARGEST_BODY = 2_000, 100, 1_000_000


@dataclass(slots=True)
class Inbox:
    """The callbacks received under one name, and the answers still to be given."""

    received: list[dict[str, Any]] = field(default_factory=list)
    script: list[Any] = field(default_factory=list)

    def take(self, entry: dict[str, Any]) -> tuple[int, float, dict[str, str]]:
        """Record a callback; the status, delay in seconds and headers to answer it with."""
        if len(self.received) < MOST_PER_NAME:
            self.received.append(entry)
        step = self.script.pop(0) if self.script else 200
        step = step if isinstance(step, dict) else {"status": step}
        return int(step.get("status", 200)), float(step.get("delay", 0)), dict(step.get("headers", {}))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], secret: str) -> None:
        super().__init__(address, _Handler)
        self.secret = secret
        self.lock = threading.Lock()
        self.inboxes: OrderedDict[str, Inbox] = OrderedDict()

    def inbox(self, name: str) -> Inbox:
        found = self.inboxes.setdefault(name, Inbox())
        while len(self.inboxes) > MOST_NAMES:
            self.inboxes.popitem(last=False)
        return found

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore senders that close the connection early."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _name(self) -> str | None:
        prefix, _, name = urlsplit(self.path).path.strip("/").rpartition("/")
        return name if prefix == self.server.secret and name else None

    def _handle(self) -> None:
        name, body = self._name(), self._body()
        if name is None or body is None:
            self._answer(404 if name is None else 413, {})
        elif self.command == "POST":
            self._take(name, body)
        elif self.command == "PUT":
            with self.server.lock:
                self.server.inbox(name).script = list(json.loads(body)["responses"])
            self._answer(200, {})
        else:
            with self.server.lock:
                received = list(self.server.inbox(name).received)
            self._answer(200, {"received": received})

    do_GET = do_POST = do_PUT = _handle

    def _take(self, name: str, body: bytes) -> None:
        headers = {name: self.headers[name] for name in KEPT_HEADERS if name in self.headers}
        text = body.decode("utf-8", "replace")
        entry = {"time": time.time(), "method": "POST", "headers": headers, "body": text}
        with self.server.lock:
            status, delay, more = self.server.inbox(name).take(entry)
        time.sleep(delay)
        self._answer(status, {}, more)

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = b"" if status in (204, 304) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        if content:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def running(host: str = "127.0.0.1", port: int = 0, secret: str = "") -> Iterator[str]:
    """A receiver in a thread; its base URL."""
    server = _Server((host, port), secret or secrets.token_urlsafe(12))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}/{server.secret}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (0.0.0.0 for a public one)")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--secret", default="", help="the path under which it answers; a random one by default")
    given = parser.parse_args()
    with running(given.host, given.port, given.secret) as base:
        path = urlsplit(base).path
        print(f"Receiving at {base}", f"Pass --callback-base-url https://YOUR-PUBLIC-NAME{path}", sep="\n", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("Ended.")


if __name__ == "__main__":
    main()
