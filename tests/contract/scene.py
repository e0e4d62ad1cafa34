"""Helpers: a run of the contract suite, and a provider that misbehaves."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk_contract_secret_0123456789"


@dataclass(frozen=True)
class Ran:
    """The results of a run of the suite: exit status, terminal output, JSON report."""

    status: int
    output: str
    report: dict[str, Any]

    def outcome(self, claim: str) -> str:
        return next(str(entry["outcome"]) for entry in self.report["claims"] if entry["id"] == claim)


RunSuite = Callable[..., Ran]


@dataclass
class Provider:
    """A fake evolink that accepts every call and charges for it. `mode` is how it misbehaves."""

    mode: str = "good"
    price: float = 2.5
    calls: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def charged(self) -> float:
        return self.calls * self.price

    def task(self) -> dict[str, Any]:
        return {
            "created": 1757156493,
            "id": f"task-unified-1757156493-{self.calls:08d}",
            "model": "gpt-image-2-beta",
            "object": "image.generation.task",
            "progress": 0,
            "status": "pending",
            "task_info": {"can_cancel": True, "estimated_time": 100},
            "type": "image",
            "usage": {"billing_rule": "per_call", "credits_reserved": self.price, "user_group": "default"},
        }


class GreedyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def do_POST(self) -> None:
        provider = self.provider
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self._answer(401, {"error": {}})
            return
        provider.calls += 1
        if provider.mode == "half-way":
            self.close_connection = True
            return
        if provider.mode == "hangs":
            provider.released.wait(30)
        busy = provider.mode == "busy"
        self._answer(503 if busy else 200, {} if busy else provider.task())

    def do_GET(self) -> None:
        self._answer(404, {"error": {}})

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status == 503:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class GreedyServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close the connection: the tests make them do so."""
