"""`mockserver serve` in a process of its own: its first and its last lines, and those between."""

import asyncio
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest
import trustme

from mockserver.cli.signals import on_signals
from support import web
from support.calls import PROVIDERS
from support.serving import CLEAN, COMMAND, KEY, Running, running

EVOLINK = "/evolink/v1/images/generations"
XHUOAPI = "/xhuoapi/v1/openai/images/generations"


def test_start_up_prints_base_urls_and_curl_lines_that_work() -> None:
    with running("--latency", "instant", "--seed", "s1") as server:
        for provider in PROVIDERS.values():
            assert f"{provider.title:10} {provider.base_url(server.root)}\n" in server.text
        assert f"live page  {server.root}/_mock/\ncontrol    {server.root}/_mock/health\n" in server.text
        assert "latency    instant\nclock      real\nseed       s1\n" in server.text
        assert web.get(f"{server.root}/_mock/health").json()["seed"] == "s1"
        curls = re.findall(r"^  (curl .*)$", server.text, re.MULTILINE)
        assert [curl_status(line) for line in curls] == [200] * len(PROVIDERS)


def test_the_line_for_clients_works_where_the_server_was_started() -> None:
    with running() as server:
        (line,) = re.findall(r"^clients    (eval .*)$", server.text, re.MULTILINE)
    script = f"{line}; echo $EVOLINK_BASE_URL"
    said = subprocess.run(["sh", "-c", script], env=CLEAN, capture_output=True, text=True, timeout=20, check=True)
    assert said.stdout == f"{server.root}/evolink/v1\n"


def curl_status(line: str) -> int:
    """The status that a curl line gets, without curl."""
    _, url, *rest = [word for word in shlex.split(line) if word != "-k"]
    headers = dict(value.split(": ", 1) for flag, value in zip(rest[::2], rest[1::2], strict=True) if flag == "-H")
    return web.post(url, headers=headers, content=rest[-1].encode(), verify=False).status_code


def test_the_curl_lines_bear_a_valid_key_and_take_any_certificate(tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    tls = ("--tls-cert", str(tmp_path / "cert"), "--tls-key", str(tmp_path / "key"))
    with running("--latency", "instant", "--api-key", "plain", "--api-key", "sk_one", *tls) as server:
        assert server.root.startswith("https://")
        assert "keys       2 keys valid, no others" in server.text
        curls = re.findall(r"^  (curl -k .*)$", server.text, re.MULTILINE)
        assert [curl_status(line) for line in curls] == [200] * len(PROVIDERS)


@pytest.mark.parametrize(("trusted", "outcome"), [(True, (401, "")), (False, (None, "certificate verify failed"))])
def test_a_callback_that_leaves_over_tls_trusts_the_authorities_of_the_machine(
    tmp_path: Path, trusted: bool, outcome: tuple[int | None, str]
) -> None:
    """They are read when they are needed, not at the start."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "authority")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server")
    tls = ("--tls-cert", str(tmp_path / "server"), "--tls-key", str(tmp_path / "server"))
    env = {"SSL_CERT_FILE": str(tmp_path / "authority") if trusted else os.devnull, "SSL_CERT_DIR": os.devnull}
    with running(*tls) as receiver, running("--latency", "instant", "--callback-egress", env=env) as server:
        server.post(XHUOAPI, callback_url=f"{receiver.root}/evolink/v1/images/generations")
        _until(lambda: _attempts(server))
        (attempt,) = _attempts(server)[:1]
        assert attempt["status"] == outcome[0]
        assert outcome[1] in (attempt["error"] or "")


def _attempts(server: Running) -> list[dict[str, Any]]:
    """The attempts of its one callback."""
    (delivery,) = web.get(f"{server.root}/_mock/callbacks").json()["callbacks"] or [{"attempts": []}]
    attempts: list[dict[str, Any]] = delivery["attempts"]
    return attempts


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_says_what_was_pending(how: int) -> None:
    """While a synchronous call waits for a minute, and a receiver of a callback never answers."""
    with (
        running("--latency", "instant") as server,
        socket.create_server(("127.0.0.1", 0)) as mute,
        ExitStack() as stack,
    ):
        mute.settimeout(5)
        server.post(XHUOAPI, callback_url=f"http://127.0.0.1:{mute.getsockname()[1]}/hook")
        stack.enter_context(mute.accept()[0])
        waiting = stack.enter_context(ThreadPoolExecutor(1)).submit(_post_and_be_refused, server)
        _until(lambda: web.get(f"{server.root}/_mock/health").json()["pending"]["tasks"] == 1)
        status, seconds, lines, err = server.end(how)
        waiting.result(5)
        assert (status, lines[-1], err) == (0, "Stopped; 1 task and 1 callback still pending.", "")
        assert seconds < 1


def _post_and_be_refused(server: Running) -> None:
    answer = server.post(XHUOAPI, "[mock:delay=60]")
    assert (answer.status_code, answer.json()["success"]) == (503, False)
    assert "the server is stopping" in answer.json()["error"]["message"]


def test_a_call_that_waits_for_a_callback_is_told_of_the_stop() -> None:
    with running() as server, _connected(server) as client:
        client.sendall(b"GET /_mock/callbacks?state=delivered&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        web.get(f"{server.root}/_mock/health")  # answered after the call before it has begun to wait
        server.end()
        _assert_stopping(client)


def _connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.root.rpartition(":")[2])), timeout=5)


def test_an_advance_that_waits_for_a_delivery_is_told_of_the_stop() -> None:
    with (
        running("--latency", "5", "--clock", "virtual") as server,
        socket.create_server(("127.0.0.1", 0)) as mute,
        ExitStack() as stack,
    ):
        mute.settimeout(5)
        for _ in range(3):
            server.post(XHUOAPI, callback_url=f"http://127.0.0.1:{mute.getsockname()[1]}/hook")
        advances = [stack.enter_context(_connected(server)) for _ in range(2)]
        for client, body in zip(advances, (b'{"seconds": 5}', b'{"until": "idle"}'), strict=True):
            head = b"POST /_mock/clock/advance HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
            client.sendall(head + body)
        stack.enter_context(mute.accept()[0])
        web.get(f"{server.root}/_mock/health")  # answered after both have begun to wait
        status, seconds, _, err = server.end()
        assert (status, err) == (0, "")
        assert seconds < 1
        for client in advances:
            _assert_stopping(client)


@pytest.mark.parametrize("path", [XHUOAPI, EVOLINK, "/xhuoapi/v1/openai/images/edits", "/_mock/faults"])
def test_a_client_that_has_sent_half_a_body_is_told_of_the_stop(path: str) -> None:
    kind = "multipart/form-data; boundary=B" if path.endswith("edits") else "application/json"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\nContent-Type: {kind}\r\n"
    with running() as server, _connected(server) as client:
        client.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + b'{"model"')
        web.get(f"{server.root}/_mock/health")  # answered after the call before it has begun to read
        status, seconds, _, err = server.end()
        answer = client.makefile("rb").read()
    assert (status, err) == (0, "")
    assert seconds < 1
    assert answer.startswith(b"HTTP/1.1 503 ")
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert "the server is stopping" in body["error"]["message"].lower()


def _assert_stopping(client: socket.socket) -> None:
    """The control surface answers that the server is stopping."""
    answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 503 "), answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "stopping"


def _until(true: Any) -> None:
    for _ in range(200):
        if true():
            return
        sleep(0.02)
    raise AssertionError("it did not come to that")


_SLOW_NAMES = """
import socket, sys, time
real = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **named: time.sleep(20) if "slow" in host else real(host, *more, **named)
from mockserver.cli import main
sys.exit(main())
"""


def test_a_name_look_up_that_hangs_does_not_hold_it_up() -> None:
    with running("--latency", "instant", command=(sys.executable, "-c", _SLOW_NAMES)) as server:
        server.post(XHUOAPI, callback_url="http://slow.localhost:9/hook")
        _until(lambda: web.get(f"{server.root}/_mock/callbacks").json()["callbacks"])
        sleep(0.1)
        status, seconds, lines, err = server.end(signal.SIGINT)
        assert (status, lines[-1], err) == (0, "Stopped; 1 callback still pending.", "")
        assert seconds < 1


def test_a_request_a_task_end_and_an_attempt_are_a_line_each() -> None:
    route = ("--callback-route", "https://app.example=http://127.0.0.1:9")
    with running("--latency", "instant", "--seed", "s", *route) as server:
        server.post(XHUOAPI, key="k-mock-429")
        server.post(XHUOAPI, callback_url="https://app.example/hook")
        server.post(EVOLINK, "[mock:fail]", model="gpt-image-2-beta")
        web.get(f"{server.root}/_mock/health")
        _until(lambda: web.get(f"{server.root}/_mock/callbacks").json()["callbacks"][0]["attempts"])
        status, _, lines, err = server.end()
        assert (status, err, lines[-1]) == (0, "", "Stopped; 1 callback still pending.")
        shapes = [re.sub(r"\s+[0-9.]+ m?s\b", " TOOK", line[8:]) for line in lines[:-1]]
        shapes = [re.sub(r"[0-9a-f-]{36}|task-unified-\d+-\w+", "ID", shape) for shape in shapes]
        pay = "0.2 credits  gpt-image-2 1024x1024  ID"
        assert shapes[0] == "  xhuoapi    POST /v1/openai/images/generations        429 TOOK  too_many_requests"
        assert f"  xhuoapi    POST /v1/openai/images/generations        200 TOOK  {pay}" in shapes
        fails = "gpt-image-2-beta auto  ID  will fail: service_error"
        assert f"  evolink    POST /v1/images/generations               200 TOOK  {fails}" in shapes
        ends = {re.sub(" +", " ", shape) for shape in shapes if "task ID" in shape}
        assert ends == {
            " xhuoapi task ID ✓ TOOK completed 0.2 credits",
            " evolink task ID ✗ TOOK failed: service_error 2.5 credits released",
        }
        attempt, *again = [shape for shape in shapes if "callback" in shape]  # after a second there is another
        assert attempt.startswith("  xhuoapi    callback → http://127.0.0.1:9/hook          — TOOK  ID  attempt 1: ")
        assert attempt.endswith("  next in TOOK")
        assert len(lines) == 7 + len(again)


_CRASHING = """
import sys
from mockserver.app import App
from mockserver.cli import main
handle = App.handle
async def handle_or_exit(self, request):
    if request.path == "/_mock/health":
        sys.exit("crashed")
    return await handle(self, request)
App.handle = handle_or_exit
sys.exit(main())
"""


def test_what_was_answered_before_a_crash_is_written() -> None:
    with running("--latency", "instant", command=(sys.executable, "-c", _CRASHING)) as server:
        assert [server.post(XHUOAPI).status_code for _ in range(3)] == [200, 200, 200]
        with pytest.raises(httpx.TransportError):
            web.get(f"{server.root}/_mock/health")
        out, err = server.process.communicate(timeout=5)
        assert (server.process.returncode, "crashed" in err) == (1, True)
        assert len(re.findall("  200  ", out)) == 3


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_answered_before_a_signal_is_written(how: int) -> None:
    with running("--latency", "instant") as server:
        for _ in range(3):
            server.post(XHUOAPI)
        _, _, lines, err = server.end(how)
        assert (len([line for line in lines if "  200  " in line]), lines[-1], err) == (
            3,
            "Stopped; nothing still pending.",
            "",
        )


def test_json_lines_have_the_same_facts_and_no_key() -> None:
    with running("--latency", "instant", "--log-format", "json") as server:
        started = json.loads(server.text)
        assert (started["event"], started["url"], started["control"]) == (
            "started",
            server.root,
            f"{server.root}/_mock/health",
        )
        assert started["providers"]["xhuoapi"]["base_url"] == f"{server.root}/xhuoapi/v1"
        server.post(XHUOAPI, callback_url=f"http://127.0.0.1:9/{KEY}?key={KEY}")
        server.post(f"/evolink/v1/{KEY}")
        _until(lambda: web.get(f"{server.root}/_mock/callbacks").json()["callbacks"][0]["attempts"])
        status, _, lines, err = server.end()
        events = {event["event"] + str(event.get("status")): event for event in map(json.loads, lines)}
        assert (status, err) == (0, "")
        assert set(events) == {"request200", "request404", "taskcompleted", "callbackNone", "stoppedNone"}
        assert events["taskcompleted"]["id"] == events["callbackNone"]["task_id"] == events["request200"]["task_id"]
        facts = {"provider": "xhuoapi", "method": "POST", "path": XHUOAPI, "cost": "0.2", "currency": "credits"}
        assert events["request200"].items() >= facts.items()
        assert events["callbackNone"]["target"] == "http://127.0.0.1:9/[redacted]?key=[redacted]"
        assert events["stoppedNone"]["pending"] == {"tasks": 0, "callbacks": 1}
        assert KEY not in "".join(lines)


def test_quiet_silences_the_lines_alone() -> None:
    with running("--latency", "instant", "--quiet") as server:
        assert server.post(XHUOAPI).status_code == 200
        assert server.end()[2:] == (["Stopped; nothing still pending."], "")


def test_a_reader_that_leaves_does_no_harm() -> None:
    with running("--latency", "instant") as server:
        assert server.process.stdout is not None
        server.process.stdout.close()
        assert [server.post(XHUOAPI).status_code for _ in range(3)] == [200, 200, 200]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


def test_a_busy_port_is_one_line_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "serve", "--port", port], env=CLEAN, capture_output=True, text=True, timeout=10
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"mockserver: port {port} of 127.0.0.1 is in use: "
        "stop the program there, or use --port; --port 0 picks a free one\n"
    )


def test_a_server_that_other_machines_reach_says_so() -> None:
    with running("--host", "0.0.0.0", "--quiet") as server:
        (line,) = [line for line in server.text.splitlines() if line.startswith("warning")]
        assert "other machines reach this server at " in line
        assert "--control-token opens it" in line
    with running("--host", "0.0.0.0", "--control-token", "t0ken", "--log-format", "json") as server:
        (warning,) = json.loads(server.text)["warnings"]
        assert "whoever has the --control-token" in warning
        assert "t0ken" not in server.text
    with running("--log-format", "json") as server:
        assert json.loads(server.text)["warnings"] == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--control-token", "a b"], "--control-token"),
        (["--control-token", ""], "--control-token"),
        (["--cors-origin", "localhost:5173"], "is not an origin"),
        (["--cors-origin", "http://localhost:5173/"], "is not an origin"),
        (["--body-timeout", "-1"], "--body-timeout"),
    ],
)
def test_settings_of_access_that_are_refused(flags: list[str], said: str) -> None:
    done = subprocess.run([*COMMAND, "serve", *flags], env=CLEAN, capture_output=True, text=True, timeout=10)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.asyncio
async def test_where_no_loop_handles_signals_pythons_handler_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, whose loops raise NotImplementedError."""

    def refuse(*_: Any) -> None:
        raise NotImplementedError

    installed: dict[int, Any] = {}
    called = asyncio.Event()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "add_signal_handler", refuse)
    monkeypatch.setattr(loop, "remove_signal_handler", refuse)
    monkeypatch.setattr(signal, "signal", lambda number, handler: installed.update({number: handler}))
    restore = on_signals(called.set)
    installed[signal.SIGINT](signal.SIGINT, None)
    await asyncio.wait_for(called.wait(), 1)
    restore()
    assert installed[signal.SIGINT] is signal.SIG_DFL


def test_a_watched_scenario_is_read_again_and_a_bad_change_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[[faults]]\nfault = {type = 'task_fail'}\n")
    with running("--scenario", str(file), "--watch") as server:
        assert f"scenarios  {file}\n" in server.text
        assert server.process.stdout is not None
        sleep(0.5)  # the watch begins with the server; the system tells of no earlier change
        file.write_text("[[faults]]\nfault = {type = 'task_stuck'}\n")
        assert "scenarios read again" in server.process.stdout.readline()
        (rule,) = web.get(f"{server.root}/_mock/faults").json()["faults"]
        assert rule["fault"]["type"] == "task_stuck"
        file.write_text("[[fualts]]\n")
        said = server.process.stdout.readline()
        assert f"scenario {file}, line 1" in said
        assert "stay in force" in said
        assert len(web.get(f"{server.root}/_mock/faults").json()["faults"]) == 1
