"""The commands that steer a running server."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread, Timer
from time import monotonic, sleep
from typing import Any, ClassVar, TypeVar

import pytest

from mockserver.cli import main
from mockserver.cli.by_hand_commands import BY_HAND
from mockserver.cli.tail import follow
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.processes import heed_signals

T = TypeVar("T")
ROUTE = "https://app.example.com=http://127.0.0.1:1/_mock/sink/hook"


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    settings = Settings(clock="virtual", latency="60", seed="s", control_token="secret-token", callback_routes=(ROUTE,))
    with MockServer(settings) as server:
        monkeypatch.setenv("MOCKSERVER_URL", server.root_url)
        monkeypatch.setenv("MOCKSERVER_CONTROL_TOKEN", "secret-token")
        yield server


def submit(mock: MockServer, key: str = "my-key", **facts: str) -> str:
    body = {"model": "gpt-image-2-beta", "prompt": "a fox", "callback_url": "https://app.example.com/done", **facts}
    url = f"{mock.root_url}/evolink/v1/images/generations"
    return str(web.post(url, json=body, headers={"Authorization": f"Bearer {key}"}).json()["id"])


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(list(arguments)) == 0, capsys.readouterr().err
    text = capsys.readouterr().out
    return json.loads(text) if text[:1] in "[{" else text


def test_each_command_steers_the_server(mock: MockServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "health").startswith("ok: mockserver ")
    assert said(capsys, "fault", "task_fail", "provider=evolink", "times=1", "prompt=1")["match"]["prompt"] == "1"
    assert len(said(capsys, "fault")) == 1
    assert said(capsys, "fault", "clear") == "removed 1\n"
    assert said(capsys, "fault", "status", "status=503", "probability=0.5")["probability"] == 0.5
    said(capsys, "fault", "clear")
    first, second = submit(mock), submit(mock)
    assert said(capsys, "task").splitlines()[0].startswith(f"{first}  evolink  ")
    assert said(capsys, "task", first, "fail", "generation_timeout")["status"] == "failed"
    assert said(capsys, "task", second)["status"] != "completed"
    assert [event["kind"] for event in said(capsys, "advance", "60")["ran"]][-2:] == ["finish", "attempt"]
    assert said(capsys, "advance", "idle")["ran"] == []
    assert said(capsys, "redeliver", second)["state"] in ("waiting", "delivered")
    assert said(capsys, "balance", "evolink", "my-key", "5").startswith("5 credits, held 0")
    assert said(capsys, "balance", "evolink", "my-key").startswith("5 credits")
    assert said(capsys, "reset", "my-key") == "reset\n"
    assert said(capsys, "task") == "there are no tasks\n"


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (["advance"], 2, "Usage: mockserver advance SECONDS|idle"),
        (["advance", "soon"], 2, "SECONDS is a number"),
        (["advance", "1", "2"], 2, "unexpected extra argument"),
        (["fault", "nothing"], 1, "fault is an object with a type of"),
        (["fault", "status", "503"], 2, "is not NAME=VALUE"),
        (["fault", "status", "provider=evolinc"], 1, "there is no provider 'evolinc'"),
        (["redeliver", "x"], 1, "There is no callback of 'x'"),
        (["balance", "evolinc", "k"], 2, "there is no provider 'evolinc'"),
        (["balance", "evolink", "k", "much"], 2, "AMOUNT is a number"),
        (["task", "x"], 1, "no such task"),
        (["task", "x", "end"], 2, "complete, cancel, or fail"),
        (["health", "--control-token", "wrong"], 1, "--control-token"),
        (["tail", "--control-token", "wrong"], 1, "--control-token"),
        (["health", "--url", "nowhere"], 2, "is not a URL"),
        (["health", "--url", "http://127.0.0.1:1"], 1, "No mock server answers"),
        (["tail", "--url", "http://127.0.0.1:1"], 1, "No mock server answers"),
    ],
)
def test_a_mistake_is_one_clear_line(
    arguments: list[str], status: int, reason: str, mock: MockServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == status
    error = capsys.readouterr().err
    assert reason.lower() in error.lower()
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", [command.name for command in BY_HAND])
def test_each_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert "MOCKSERVER_URL" in capsys.readouterr().out


def tailed(mock: MockServer, act: Callable[[], T], count: int) -> tuple[T, list[str]]:
    """What an action gives, and so many lines that `mockserver tail` prints of it; Ctrl-C ends it with 0."""
    command = [sys.executable, "-m", "mockserver", "tail"]  # the variables name the server
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_signals
    )
    kill = Timer(40, process.kill)  # so that a line which never comes fails the test and does not hang it
    kill.start()
    with process:
        try:
            deadline = monotonic() + 20
            while not mock.app.control._feed._watchers and monotonic() < deadline:
                sleep(0.02)
            done = act()
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(count)]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
            kill.cancel()
    assert process.returncode == 0
    return done, lines


def held(lines: list[str], patterns: Sequence[str]) -> None:
    """Hold lines against patterns, one for each."""
    assert [line for line, pattern in zip(lines, patterns, strict=True) if not re.search(pattern, line)] == [], lines


def test_tail_prints_the_consoles_lines(mock: MockServer) -> None:
    def act() -> str:
        task_id = submit(mock)
        mock.clock.advance(until="idle")
        return task_id

    task_id, lines = tailed(mock, act, 3)
    held(
        lines,
        [
            rf"evolink +POST /v1/images/generations .*200 .*gpt-image-2-beta .*  {task_id}$",
            rf"task {task_id} +✓ .*60 s  completed  2.5 credits$",
            rf"callback → .*/_mock/sink/hook.* 200 .*{task_id}  delivered$",
        ],
    )


def test_tail_shows_a_task_that_will_fail_and_one_that_has_failed(mock: MockServer) -> None:
    def act() -> str:
        task_id = submit(mock, prompt="[mock:fail=generation_timeout]", callback_url="https://elsewhere.example.com/")
        mock.clock.advance(until="idle")
        return task_id

    task_id, lines = tailed(mock, act, 2)
    held(
        lines,
        [
            rf" 200 .*{task_id}  will fail: generation_timeout$",
            r" ✗ .* failed: generation_timeout  2.5 credits released  callback captured, not sent$",
        ],
    )


def test_tail_shows_lost_callbacks_and_each_attempt_as_it_was(mock: MockServer) -> None:
    def act() -> None:
        mock.faults.add("callback_lost", times=1)
        mock.sink("hook").script(500, 503, 404, 500)
        submit(mock)
        mock.clock.advance(60)
        submit(mock)
        mock.clock.advance(until="idle")

    _, lines = tailed(mock, act, 8)
    attempts = [
        r" 500 .* attempt 1  next in 1 s$",
        r" 503 .* attempt 2  next in 2 s$",
        r" 404 .* attempt 3  next in 4 s$",
        r" 500 .* attempt 4  gave up$",
    ]
    held(
        lines, [" 200 ", " ✓ .* completed  2.5 credits  callback lost$", " 200 ", "completed  2.5 credits$", *attempts]
    )


class Breaking(BaseHTTPRequestHandler):
    """A server whose event streams end after one event each."""

    resumed: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.path == "/_mock/health":
            self.wfile.write(b'{"providers": ["evolink"]}')
            return
        self.resumed.append(self.headers.get("Last-Event-ID"))
        self.wfile.write(b"retry: 1000\n\nid: %d\nevent: gap\ndata: {}\n\n" % (6 + len(self.resumed)))

    def log_message(self, format: str, *args: object) -> None:
        assert format


def test_tail_resumes_from_the_last_event_after_a_lost_connection() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Breaking) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        lines = follow({"url": f"http://127.0.0.1:{server.server_port}"}, False)
        assert [next(lines), next(lines)] == ["… events were missed"] * 2
        server.shutdown()
    assert Breaking.resumed == [None, "7"]
