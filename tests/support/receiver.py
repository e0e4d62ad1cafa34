"""A real HTTP receiver of callbacks on loopback, in a thread."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Receiver:
    """The requests that a receiver got. `statuses` are answered in turn, then always 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)


@contextmanager
def receiver(
    *statuses: int, extra_headers: dict[str, str] | None = None, before: Callable[[], None] | None = None
) -> Iterator[Receiver]:
    """Listen on a free port; answers `statuses` one after the other, then 200, each once `before` has been called."""
    seen = Receiver(statuses=list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            seen.headers.append(dict(self.headers))
            seen.bodies.append(json.loads(sent))
            if before is not None:
                before()
            status = seen.statuses.pop(0) if seen.statuses else 200
            body = b"" if status in (204, 304) else b"ok"
            self.send_response(status)
            for name, value in (extra_headers or {}).items():
                self.send_header(name, value)
            if body:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
