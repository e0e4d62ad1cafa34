"""The pytest plugin, in example projects that are run by a pytest process of their own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

import mockserver
from mockserver.client.protocol import ControlCall
from mockserver.client.transport import BlockingTransport
from mockserver.providers.base import discover
from mockserver.pytest_plugin import MockProviders
from mockserver.pytest_plugin.block import BLOCKER, RealHostBlocked, real_hosts, refuse
from mockserver.pytest_plugin.session import ServerOptions
from mockserver.pytest_plugin.tally import Tally
from mockserver.server import MockServer
from mockserver.settings import Settings
from support.forked_pytest import WITHOUT, PytestForks
from support.packages import metadata_of_project

ROOT = Path(mockserver.__file__).parents[1]
EMBEDDINGS = Path(__file__).parent / "embeddings"
Run = Callable[..., str]


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    return {**clean, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def run(forks: PytestForks) -> Run:
    """Runs pytest on a project, in a fork of a process that has imported much; the answer is as from `run_anew`."""

    def run(project: Path, *options: str, search: tuple[Path, ...] = (ROOT,)) -> str:
        done = forks.run("--color=no", *options, cwd=project, environ=environment(), path=search, timeout=90)
        return f"{done.stdout}\nexit {done.returncode}"

    return run


@pytest.fixture
def run_embedding(run: Run, tmp_path: Path) -> Run:
    """Runs one of the projects beside this module, of which it makes a copy."""

    def run_copy(name: str, *options: str) -> str:
        return run(copy_of(name, tmp_path), *options)

    return run_copy


def run_anew(project: Path, *options: str) -> str:
    """What `python -m pytest` prints of a project; its exit status is in the last line."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--color=no", *WITHOUT, *options],
        cwd=project,
        env={**environment(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
        check=False,
    )
    return f"{done.stdout}\nexit {done.returncode}"


def copy_of(name: str, where: Path) -> Path:
    return shutil.copytree(EMBEDDINGS / name, where / name)


@pytest.mark.parametrize(
    ("name", "passed", "line"),
    [
        ("blocking", 5, "3 generations, 1 callback; .* charged 0.4 CNY at icodeeasy, 2.5 credits at evolink"),
        ("openai_sdk", 2, "2 generations, 0 callbacks"),
        ("asyncio_strict", 2, "2 generations, 1 callback; .* charged 0.4 credits at xhuoapi"),
        ("anyio_backends", 2, "6 generations, 0 callbacks; .* charged 15 credits at evolink"),
        ("unittest_classes", 3, "1 generation, 0 callbacks; .* charged 0.4 CNY at icodeeasy"),
        ("given", 2, "[0-9]+ generations, 0 callbacks"),
        ("markers", 7, "4 generations, 0 callbacks"),
        ("scenarios", 5, "[0-9]+ generations, 0 callbacks"),
    ],
)
def test_embedding(name: str, passed: int, line: str, run_embedding: Run) -> None:
    output = run_embedding(name)
    assert output.endswith("exit 0"), output
    assert re.search(rf"\b{passed} passed", output), output
    assert re.search(rf"^mock_providers: {line}", output, re.MULTILINE), output
    assert re.findall(r"^mock_providers advice: .*", output, re.MULTILINE) == []


def test_the_server_is_imported_under_frozen_time(tmp_path: Path) -> None:
    output = run_anew(copy_of("frozen_time", tmp_path))
    assert output.endswith("exit 0"), output
    assert re.search(r"\b5 passed", output), output
    assert re.search(r"^mock_providers: 5 generations, 3 callbacks", output, re.MULTILINE), output
    assert "mock_providers advice: " not in output


def test_the_files_of_scenarios_are_found_from_any_folder(run: Run, tmp_path: Path) -> None:
    shutil.copytree(EMBEDDINGS / "scenarios", tmp_path / "scenarios")
    output = run(tmp_path, "-c", "scenarios/pytest.ini", "scenarios")
    assert re.search(r"\b5 passed", output), output


@pytest.mark.parametrize("attached", [False, True], ids=["own-server", "attached"])
def test_a_provider_of_an_installed_package(run: Run, tmp_path: Path, attached: bool) -> None:
    """The fixture knows it by its entry point alone, here and on a server that runs elsewhere."""
    example = ROOT / "examples" / "providers" / "openai_images"
    metadata_of_project(tmp_path / "site", example)
    search = (ROOT, example, tmp_path / "site")
    project = shutil.copytree(EMBEDDINGS / "fourth_provider", tmp_path / "fourth_provider")
    if not attached:
        output = run(project, search=search)
    else:
        served = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, search))}
        command = [
            sys.executable,
            "-m",
            "mockserver",
            "serve",
            "--port",
            "0",
            "--clock",
            "virtual",
            "--latency",
            "instant",
        ]
        with subprocess.Popen(command, env=served, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            url = re.search(r"http://\S+", server.stdout.readline())
            assert url
            try:
                output = run(project, "--mock-providers-url", url[0], search=search)
            finally:
                server.terminate()
    assert "3 passed" in output, output
    assert re.search(r"^mock_providers: 3 generations, 0 callbacks; .* at openai_images$", output, re.MULTILINE), output


def test_every_real_host_is_out_of_reach(run_embedding: Run) -> None:
    output = run_embedding("blocked")
    assert output.endswith("exit 0"), output
    assert "56 passed" in output


def test_xdist(run_embedding: Run) -> None:
    """The workers' tallies are added up, and shown once."""
    output = run_embedding("parallel", "-n", "2")
    assert "6 passed" in output, output
    said = re.findall("^mock_providers: .*", output, re.MULTILINE)
    assert said == [
        "mock_providers: 21 generations, 0 callbacks; the real services would have charged 4.2 CNY at icodeeasy"
    ]


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_attached_to_a_running_server(run_embedding: Run, options: tuple[str, ...]) -> None:
    """Each test removes what it has added, and leaves the state of others alone."""
    with MockServer(Settings(clock="virtual", autojump=True, latency="instant")) as shared:
        shared.callbacks.route("https://theirs.example.com", shared.sink("theirs").url)
        shared.faults.add("status", prompt="theirs", status=500)
        output = run_embedding("attached", "--mock-providers-url", shared.root_url, *options)
        assert "6 passed" in output, output
        assert list(shared.callbacks.routes()) == ["https://theirs.example.com"]
        assert [rule.match for rule in shared.faults.list()] == [{"prompt": "theirs"}]
        assert {task.model for task in shared.tasks()} == {"gpt-image-2-beta"}


def test_an_address_without_a_server(run_embedding: Run) -> None:
    output = run_embedding("unittest_classes", "--mock-providers-url", "http://127.0.0.1:9")
    assert "No mock server answers at http://127.0.0.1:9: " in output
    assert "Connection refused" in output
    assert "another exception" not in output


FAILURES = [
    r"""spent 0.2 credits at xhuoapi, not 99
E    +charged were:
E    +0.2 for gpt-image-2, task [0-9a-f-]{36}
E    +the calls were:
E    +xhuoapi POST /v1/openai/images/generations gpt-image-2 'a small fox' → 200
""",
    r"""expected 2 requests to xhuoapi, found 1
E    +the calls were:
E    +xhuoapi POST /v1/openai/images/generations gpt-image-2 'a small fox' → 200
E    +and with another key than sk_mock_[0-9a-f]{16}, or none:
E    +xhuoapi POST /v1/openai/images/generations gpt-image-2 'a small fox' → 200
""",
    r"""expected at least one request to any provider, found 0
E    +there were no calls
""",
    r"""the callback of task \S+ has not arrived:
E    +gave_up: http://127.0.0.1:\d+/_mock/sink/hook — \+0 s: 500; \+1 s: 503; \+3 s: no answer within 10 s; \+17 s: 404
""",
    r"captured \(no route leads there, see callbacks.route\): https://app.example.com/hook — no attempt",
    r"no task asked for a callback",
    r"""_ test_a_defect _+
the mock server has a defect, which this test met at POST /xhuoapi/v1/openai/images/generations:
Traceback""",
    r"""assert 500 == 200
(E .*\n)+E +ZeroDivisionError: a defect
""",
    r"which this test met at a callback attempt of cb_\w+:",
    r"which this test met at GET /_mock/tasks:",
    r"the marker mock_providers takes latency=, clock=, seed=, balance=, scenario=, intercept= and not latencyy",
    r"'instantly' is not a latency: use instant, quick, documented, or MIN-MAX in seconds",
    r"this test was about to connect to api.evolink.ai, a real service that costs money",
    r"11 failed, 1 passed, 2 errors",
]


def test_messages_of_failures(run_embedding: Run) -> None:
    output = run_embedding("failing")
    missing = [text for text in FAILURES if not re.search(text, output)]
    assert missing == [], output


def test_the_traceback_of_a_mistake_ends_at_the_line_that_makes_it(run_embedding: Run) -> None:
    output = run_embedding("misuse", "--tb=short")
    assert re.search(r"\b23 failed in", output), output
    frames = re.findall(r"^(\S+):\d+: in ", output, re.MULTILINE)
    assert len(frames) >= 23
    assert [frame for frame in frames if "mockserver" in frame] == []
    assert "hidden" not in output


UNUSED = {
    "test_it_never_fires": "fault-1 (status: provider='evolink', method='POST', status=503) never fired: nothing",
    "test_it_is_skipped": "fault-1 (status: provider='evolink', status=503) never fired: it matched 1 time",
    "test_before_a_reset": "fault-1 (latency: seconds=2.0) never fired: nothing matched it",
    "test_everyones": "fault-1 (latency: seconds=3.0) never fired: nothing matched it",
    "test_asynchronous": "fault-1 (latency: seconds=5.0) never fired: nothing matched it",
    "test_of_the_session": "fault-1 (latency: seconds=6.0) never fired: nothing matched it",
}
"""The tests with a fault rule that never fires, and what is said of it."""


@pytest.mark.parametrize(
    ("options", "summary"),
    [
        ((), "9 passed, 1 xfailed, 6 warnings"),
        (("-W", "error"), "5 failed, 4 passed, 1 xfailed, 1 error"),
        (("-o", "mock_providers_unused_faults=error"), "5 failed, 4 passed, 1 xfailed, 1 error"),
        (("-o", "mock_providers_unused_faults=ignore"), "9 passed, 1 xfailed in"),
    ],
    ids=["warn", "warnings-are-errors", "error", "ignore"],
)
def test_fault_rules_that_never_fire(run_embedding: Run, options: tuple[str, ...], summary: str) -> None:
    output = run_embedding("unused_faults", *options)
    assert summary in output, output
    said = "ignore" not in "".join(options)
    assert {name for name, text in UNUSED.items() if text in output} == (set(UNUSED) if said else set()), output
    if not options:  # a warning names its test
        for name, text in UNUSED.items():
            assert re.search(rf"::{name}\n +\S+:\d+: UnusedFaultWarning: the fault rule {re.escape(text)}", output), (
                output
            )


def test_an_unknown_mode_for_unused_faults(run_embedding: Run) -> None:
    output = run_embedding("unused_faults", "-o", "mock_providers_unused_faults=warning")
    assert "mock_providers_unused_faults is one of warn, error, ignore, not 'warning'" in output


def test_an_empty_test_costs_one_call_and_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    connections: list[HTTPConnection] = []
    send, connect = BlockingTransport.send, HTTPConnection.connect

    def counted(self: BlockingTransport, call: ControlCall) -> Any:
        calls.append(f"{call.method} {call.target}")
        return send(self, call)

    def opened(self: HTTPConnection) -> None:
        connections.append(self)
        connect(self)

    monkeypatch.setattr(BlockingTransport, "send", counted)
    monkeypatch.setattr(HTTPConnection, "connect", opened)
    with MockServer(Settings(clock="virtual")) as server:
        for name in ("one", "two", "three"):
            mock = MockProviders(server, key_token=name, tally=Tally(), server=server)
            mock.begin()
            assert (mock.new_defects(), mock.unused_faults()) == ([], [])
            mock.end()
    assert calls == ["POST /_mock/reset"] * 3
    assert len(connections) == 1


def test_an_idle_plugin_costs_nothing(tmp_path: Path) -> None:
    """A run that does not use the fixtures imports no server, and has no line about it at the end."""
    (tmp_path / "conftest.py").write_text(
        "import sys\n\ndef pytest_unconfigure():\n"
        "    print('plugin', 'mockserver.pytest_plugin' in sys.modules)\n"
        "    print('heavy', {'aiohttp', 'pydantic', 'PIL', 'mockserver.server', 'http.client'} & set(sys.modules))\n"
    )
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    disabled = ("asyncio", "anyio", "hypothesispytest", "cacheprovider")
    options = [option for name in disabled for option in ("-p", f"no:{name}")]
    output = run_anew(tmp_path, *options, "-q")
    assert "plugin True\nheavy set()" in output, output
    assert "mock_providers:" not in output


def test_the_plugin_is_listed_in_help(run: Run, tmp_path: Path) -> None:
    output = run(tmp_path, "--help")
    assert "--mock-providers-url" in output
    assert "mock_providers_block_real" in output


def test_real_hosts_are_those_of_the_providers() -> None:
    assert real_hosts() == {host for provider in discover() for host in provider.hosts}
    assert {"api.evolink.ai", "api.icodeeasy.cc", "api.xhuoapi.ai"} <= real_hosts()


@pytest.mark.parametrize("host", ["API.evolink.ai", b"api.xhuoapi.ai", "jp.icodeeasy.cc."])
def test_hosts_that_are_refused(host: str | bytes) -> None:
    with pytest.raises(RealHostBlocked, match="base_url=mock_providers"):
        refuse(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", None, "", "evolink.ai", "my-api.evolink.ai", 7])
def test_hosts_that_are_not(host: object) -> None:
    refuse(host)


def test_the_blocker_is_off_when_all_have_switched_it_off() -> None:
    import socket

    before = socket.getaddrinfo
    BLOCKER.on()
    BLOCKER.on()
    BLOCKER.off()
    assert socket.getaddrinfo is not before
    BLOCKER.off()
    assert socket.getaddrinfo is before


def test_a_tally_survives_the_way_from_a_worker() -> None:
    one, other = Tally(), Tally()
    costs, advice = {"CNY at icodeeasy": "0.10"}, {"pays-twice": ["test_a", "test_b"]}
    one.join({"generations": 2, "callbacks": 1, "costs": costs, "advice": advice})
    other.join(one.dump())
    other.join(one.dump())
    assert other.line() == "mock_providers: 4 generations, 2 callbacks; the real services would have charged " + (
        "0.2 CNY at icodeeasy"
    )
    assert other.lines()[1:] == ["mock_providers advice: pays-twice in test_a and 1 more"]
    assert Tally().lines() == []


@pytest.mark.parametrize(
    ("mode", "result", "shown"),
    [
        (None, "3 passed", "mock_providers advice: ignored-parameter in test_advice.py::test_it_asks_for_base64"),
        ("summary", "3 passed", "mock_providers advice: ignored-parameter in test_advice.py::test_it_asks_for_base64"),
        ("error", "1 failed, 2 passed", "ignored-parameter at icodeeasy: response_format = 'b64_json' was sent"),
        ("off", "3 passed", None),
        ("on", "exit 4", "mock_providers_advice is one of summary, error, off, not 'on'"),
    ],
)
def test_advice_on_the_code_under_test(run_embedding: Run, mode: str | None, result: str, shown: str | None) -> None:
    output = run_embedding("advice", *(("-o", f"mock_providers_advice={mode}") if mode else ()))
    assert result in output
    assert shown is None or shown in output, output
    assert ("ignored-parameter" in output) == (mode not in ("off", "on"))


@pytest.mark.parametrize(
    ("options", "said"), [(ServerOptions(clock="wrong"), "clock is one of"), (ServerOptions(balance="x"), "not 'x'")]
)
def test_options_that_no_server_has(options: ServerOptions, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        options.settings()


def test_a_test_that_calls_nothing_asks_the_server_nothing(mock_providers: MockProviders) -> None:
    """Each call to the server would cost every test that uses the fixture for something else."""
    assert mock_providers.untouched()
    assert mock_providers.tasks() == []
    assert not mock_providers.untouched()
