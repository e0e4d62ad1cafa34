"""`mockserver serve --workers N`: one port, several processes, and what happens when one of them dies."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import pytest
import trustme

from mockserver.cli import main
from mockserver.cli.cannot_serve import CannotServe
from mockserver.cli.workers import supervisor
from mockserver.cli.workers.order import Order
from mockserver.cli.workers.worker import Worker
from mockserver.cli.writer import TOGETHER
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.serving import CLEAN, COMMAND, Running, running

XHUOAPI = "/xhuoapi/v1/openai/images/generations"


@contextmanager
def several(*flags: str) -> Iterator[Running]:
    """Two workers on a file of SQLite, which both serve."""
    with (
        TemporaryDirectory() as folder,
        running("--workers", "2", "--store", f"sqlite:///{folder}/db", *flags) as server,
    ):
        until(lambda: len(workers(server)) == 2 and answers_of(server, flags) == workers(server))
        yield server


def answers_of(server: Running, flags: tuple[str, ...]) -> set[int]:
    """The processes that answer some calls, each on a connection of its own."""
    headers = {"Authorization": "Bearer t0ken"} if "--control-token" in flags else {}
    calls = [web.get(f"{server.root}/_mock/health", headers=headers, verify=False) for _ in range(10)]
    return {call.json()["process"] for call in calls}


def workers(server: Running) -> set[int]:
    """The process ids of the workers."""
    return set(map(int, Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()))


def next_line(server: Running) -> str:
    assert server.process.stdout is not None
    return server.process.stdout.readline()


def until(true: Callable[[], object], seconds: float = 15) -> None:
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "it did not come to that"
        sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_them_and_the_last_line_comes_once(how: int) -> None:
    with several() as server:
        pids = workers(server)
        status, seconds, lines, err = server.end(how)
        assert (status, lines, err) == (0, ["Stopped; nothing still pending."], "")
        assert seconds < 1.5
        assert not any(map(alive, pids))


def test_workers_end_when_the_supervisor_is_killed() -> None:
    with several() as server:
        pids = workers(server)
        server.process.kill()
        until(lambda: not any(map(alive, pids)))


def test_a_worker_that_dies_is_replaced_and_no_connection_is_lost() -> None:
    with several("--latency", "instant", "--quiet") as server:
        before = workers(server)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert server.post(XHUOAPI).status_code == 200
        until(lambda: len(workers(server)) == 2)
        assert not before & workers(server)
        for _ in before:
            assert next_line(server).endswith(" was ended by SIGKILL; another one takes its place\n")


def test_a_worker_that_hangs_at_the_end_is_killed() -> None:
    with several() as server:
        pids = workers(server)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        status, seconds, _, err = server.end()
        assert (status, err) == (0, "")
        assert seconds < 2
        assert not any(map(alive, pids))


def test_lines_of_all_workers_are_whole_however_long_they_are() -> None:
    with several("--latency", "instant", "--log-format", "json") as server, ThreadPoolExecutor(8) as pool:
        path = f"/xhuoapi/nowhere?{'é' * 1_000}"
        list(pool.map(lambda _: web.get(server.root + path, timeout=10), range(100)))
        lines = [json.loads(next_line(server)) for _ in range(100)]
        assert {line["event"] for line in lines} == {"request"}
        assert len(json.dumps(lines[0])) > TOGETHER


def test_a_first_worker_that_cannot_serve_ends_it_with_its_sentence(tmp_path: Path) -> None:
    store = ("--store", f"sqlite:///{tmp_path}/db", "--workers", "2")
    command = (*COMMAND, "serve", "--port", "0", *store, "--scenario", "nowhere.toml")
    done = subprocess.run(command, env=CLEAN, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("mockserver: scenario nowhere.toml: No such file")


def test_it_gives_up_when_no_worker_comes_to_serve_any_more(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.toml"
    scenario.write_text("[[faults]]\nfault = {type = 'task_fail'}\n")
    with several("--scenario", str(scenario)) as server:
        scenario.write_text("[[fualts]]\n")
        for pid in workers(server):
            os.kill(pid, signal.SIGKILL)
        out, err = server.process.communicate(timeout=15)
    assert (server.process.returncode, err.count("\n")) == (1, 1)
    assert err.startswith("mockserver: no worker comes to serve any more; 5 starts in a row failed: ")
    assert f"scenario {scenario}, line 1" in err
    assert "Stopped" not in out


def test_the_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = (*COMMAND, "serve", "--workers", "2", "--store", f"sqlite:///{tmp_path}/db", "--port", port)
        done = subprocess.run(command, env=CLEAN, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"port {port} of 127.0.0.1 is in use" in done.stderr


def test_tls_the_control_token_and_ipv6_work(tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("::1")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "pem")
    tls = ("--tls-cert", str(tmp_path / "pem"), "--tls-key", str(tmp_path / "pem"))
    with several("--host", "::1", "--control-token", "t0ken", *tls) as server:
        assert server.root.startswith("https://[::1]:")
        for _ in range(4):
            assert web.get(f"{server.root}/_mock/health", verify=False).status_code == 401
            headers = {"Authorization": "Bearer t0ken"}
            assert web.get(f"{server.root}/_mock/health", verify=False, headers=headers).status_code == 200


def test_every_worker_serves_the_proxy_and_says_the_same_of_it() -> None:
    with several("--proxy-port", "0", "--quiet") as server:
        first = web.get(f"{server.root}/_mock/proxy").json()
        for pid in workers(server):
            os.kill(pid, signal.SIGKILL)
        assert web.get(f"{server.root}/_mock/proxy").json() == first
        assert first["ca_pem"] in Path(first["ca_bundle"]).read_text()
        proxy = f"http://127.0.0.1:{first['port']}"
        trusted = ssl.create_default_context(cafile=first["ca_bundle"])
        with web.Client(proxy=proxy, verify=trusted) as client:
            assert client.get("https://api.evolink.ai/v1/models").status_code in (401, 404)
        server.end()
        assert not Path(first["ca_bundle"]).exists()


def test_under_memory_several_workers_are_refused_with_what_to_do() -> None:
    done = subprocess.run([*COMMAND, "serve", "--workers", "2"], env=CLEAN, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mockserver: --workers 2 needs a store that the processes share, --store sqlite:///FILE or redis://HOST: "
        "under --store memory there is one process\n"
    )


def test_a_process_that_cannot_be_had_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def refuse(order: Order) -> Worker:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(Worker, "start", refuse)
    with pytest.raises(CannotServe, match=r"the first worker can't be started: .*Resource temporarily unavailable"):
        supervisor.supervise(Settings(workers=2, store=f"sqlite:///{tmp_path}/db", port=0), None)


def test_a_defect_of_the_supervisor_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def fail(order: Order) -> Worker:
        raise ZeroDivisionError

    monkeypatch.setattr(Worker, "start", fail)
    with pytest.raises(ZeroDivisionError):
        supervisor.supervise(Settings(workers=2, store=f"sqlite:///{tmp_path}/db", port=0), None)


def test_where_one_process_serves_several_workers_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="a MockServer is one process"):
        MockServer(Settings(workers=2))
    assert main(["exec", "--workers", "2", "--", sys.executable]) == 2
    assert capsys.readouterr().err == "mockserver: exec runs its server in one process: --workers is for serve\n"


def test_on_windows_several_workers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ValueError, match="--workers needs Linux, macOS or another POSIX system"):
        supervisor.check(Settings(workers=2, store="sqlite:///some.db"))
