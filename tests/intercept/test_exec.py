"""`mockserver exec`: its exit status, its one line, signals, mistakes, and what it leaves behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mockserver.cli import main
from support.clients import PROGRAMS

EXEC = (sys.executable, "-m", "mockserver", "exec")
COUNTED = re.compile(
    r"mockserver: (\d+) calls?, (\d+) generations?, (\d+) callbacks?; the real services would have (.*)"
)
Here = Callable[..., tuple[int, str, str]]
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Without proxies, and with a folder for temporary files of its own."""
    known = {name: value for name, value in os.environ.items() if name not in PROXIES}
    return {**known, "TMPDIR": str(tmp_path)}


def execute(environment: dict[str, str], *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*EXEC, *arguments], env=environment, capture_output=True, text=True, timeout=40, check=False, **more
    )


@pytest.fixture
def here(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Here:
    """`exec` in this process, for what ends before any program runs: its status, and both streams."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", environment["TMPDIR"])
    monkeypatch.setattr(tempfile, "tempdir", None)  # what TMPDIR once said

    def run(*arguments: str) -> tuple[int, str, str]:
        return (main(["exec", *arguments]), *capfd.readouterr())

    return run


def test_a_program_runs_unmodified(environment: dict[str, str], tmp_path: Path) -> None:
    done = execute(environment, "--latency", "instant", "--", sys.executable, str(PROGRAMS / "via_requests.py"))
    assert done.returncode == 0, done.stderr
    assert "https://platform.cdn.xhuoapi.ai/gpt-image/" in done.stdout
    assert (counted := COUNTED.fullmatch(done.stderr.strip())), done.stderr
    assert counted.groups() == ("3", "1", "0", "charged 0.2 credits at xhuoapi")
    assert list(tmp_path.iterdir()) == [], "it leaves no files"


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)])
def test_the_status_is_the_programs(environment: dict[str, str], script: str, status: int) -> None:
    assert execute(environment, "--", "sh", "-c", script).returncode == status


def test_standard_streams_are_the_programs(environment: dict[str, str]) -> None:
    done = execute(environment, "cat", "-", input="what comes in\n")
    assert (done.returncode, done.stdout) == (0, "what comes in\n")


MISTAKES = {
    "no command": ((), 2, "mockserver exec [OPTIONS] -- CMD ARGS"),
    "nothing behind --": (("--seed", "x", "--"), 2, "mockserver exec [OPTIONS] -- CMD ARGS"),
    "not found": (("--", "no-such-program"), 127, "no-such-program: command not found"),
    "not executable": (("--", __file__), 126, "is no program that this user may run"),
    "unknown option": (("--no-such", "--", "true"), 2, "No such option: --no-such"),
    "bad value": (("--latency", "x", "--", "true"), 2, "--latency"),
    "documented host allowed": (("--allow-host", "api.evolink.ai", "--", "true"), 2, "this host is the mock's own"),
    "no server": (("--url", "http://127.0.0.1:1", "--", "true"), 1, "--url http://127.0.0.1:1"),
    "a server's options": (("--url", "http://127.0.0.1:1", "--seed", "x", "--", "true"), 2, "not for it"),
    "isolated, and not": (("--isolate", "--allow-host", "x.example", "--", "true"), 2, "--isolate lets nothing out"),
}


@pytest.mark.parametrize(("arguments", "status", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(here: Here, tmp_path: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    result, out, error = here(*arguments)
    assert (result, out) == (status, "")
    assert said in error
    assert error.startswith("mockserver: ")
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_that_is_set_already_is_not_taken_away(here: Here, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://proxy.example:3128")
    status, out, error = here("--", "echo", "ran")
    assert (status, out) == (2, "")
    assert f"{name} is set already" in error
    assert f"env -u {name} mockserver exec" in error


def test_a_missing_package_is_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "cryptography"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError")
    done = execute({**environment, "PYTHONPATH": str(hidden.parent)}, "--", "echo", "ran")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mockserver: interception needs the package cryptography: pip install 'image-api-mockserver[intercept]'\n"
    )


@contextmanager
def started(environment: dict[str, str], script: str) -> Iterator[subprocess.Popen[str]]:
    """exec with a program that has said that it is ready."""
    process = subprocess.Popen(
        [*EXEC, "--", sys.executable, "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


TRAP = """
import os, signal, sys
def leave(number, frame):
    print("caught", signal.Signals(number).name, flush=True)
    os._exit(33)
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
    signal.signal(getattr(signal, name), leave)
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_is_passed_on(environment: dict[str, str], tmp_path: Path, name: str) -> None:
    with started(environment, TRAP) as process:
        process.send_signal(getattr(signal, name))
        out, said = process.communicate(timeout=20)
    assert out == f"caught {name}\n"
    assert process.returncode == 33
    assert COUNTED.search(said)
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_a_signal_ends(environment: dict[str, str]) -> None:
    with started(environment, "import time; print('ready', flush=True); time.sleep(60)") as process:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_running_server_is_used(environment: dict[str, str], tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--proxy-port", "0", "--latency", "instant"]
    server = subprocess.Popen([*serve, "--log-format", "json"], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = re.findall(r'"url": ?"([^"]+)"', server.stdout.readline())[0]
        program = (sys.executable, str(PROGRAMS / "via_httpx.py"))
        for _ in range(2):
            done = execute(environment, "--url", url, "--", *program)
            assert done.returncode == 0, done.stderr
            counted = COUNTED.search(done.stderr)
            assert counted
            assert counted.groups() == ("3", "1", "0", "charged 0.2 credits at xhuoapi"), "of this run alone"
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()  # type: ignore[union-attr]
    assert list(tmp_path.iterdir()) == []


def test_a_server_without_a_proxy_says_so(environment: dict[str, str], scene: Any) -> None:
    done = execute(environment, "--url", scene.root, "--", "true")
    assert done.returncode == 1
    assert "--proxy-port" in done.stderr


def may_unshare() -> bool:
    done = subprocess.run(["unshare", "-r", "-n", "true"], capture_output=True, check=False)
    return done.returncode == 0


ISOLATED = """
import socket, subprocess, urllib.request
for address in (("192.0.2.1", 443), ("198.51.100.1", 53)):
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as error:
        print(type(error).__name__, error.strerror)
request = urllib.request.Request("https://api.evolink.ai/v1/credits", headers={"Authorization": "Bearer k"})
print(urllib.request.urlopen(request).status)
"""


@pytest.mark.skipif(sys.platform != "linux" or not may_unshare(), reason="network namespaces are not permitted here")
def test_an_isolated_program_reaches_the_mock_and_nothing_else(environment: dict[str, str]) -> None:
    done = execute(environment, "--isolate", "--", sys.executable, "-c", ISOLATED)
    assert done.stdout.splitlines() == ["OSError Network is unreachable"] * 2 + ["200"], done.stderr


AS_A_USER = """
import os, socket
from mockserver.intercept import isolate
real = isolate._unshare
isolate._unshare = lambda flags: flags != isolate._CLONE_NEWNET and real(flags)
before = os.getuid(), os.getgid()
isolate.enter()
assert (os.getuid(), os.getgid()) == before
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
print(open("/proc/net/route").read().count("\\n"))
"""


@pytest.mark.skipif(sys.platform != "linux" or not may_unshare(), reason="user namespaces are not permitted here")
def test_a_user_who_is_not_root_isolates_too(environment: dict[str, str]) -> None:
    """Where the network alone may not be left, a user namespace of one's own permits it."""
    done = subprocess.run(
        [sys.executable, "-c", AS_A_USER], env=environment, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_isolation_that_is_not_permitted_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from mockserver.intercept import isolate

    monkeypatch.setattr(isolate, "_unshare", lambda flags: False)
    with pytest.raises(ValueError, match="--isolate is not permitted here"):
        isolate.enter()
