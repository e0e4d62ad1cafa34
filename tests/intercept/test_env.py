"""`mockserver env --proxy`: the variables that lead a shell's programs to a server that runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mockserver.cli import main
from mockserver.intercept.environment import proxy_in_the_way
from support.clients import PROGRAMS
from support.intercepted import Intercepted

VARIABLES = {"HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "PYTHONPATH", "NODE_OPTIONS", "MOCKSERVER_INTERCEPT"}


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    lines = capsys.readouterr().out.splitlines()
    return dict(line.removeprefix("export ").partition("=")[::2] for line in lines if line.startswith("export "))


def test_a_shells_programs_are_led(led: Intercepted, capsys: pytest.CaptureFixture[str]) -> None:
    script = f"""
eval "$({sys.executable} -m mockserver env --proxy --root-url {led.scene.root})"
exec {sys.executable} {PROGRAMS / "via_requests.py"}
"""
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert "https://platform.cdn.xhuoapi.ai/" in done.stdout, done.stderr
    assert len(led.scene.mock("tasks")["tasks"]) == 1


def test_the_variables(led: Intercepted, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--proxy", "--root-url", led.scene.root]) == 0
    found = printed(capsys)
    assert found.keys() >= VARIABLES
    assert found["HTTPS_PROXY"] == found["http_proxy"] == led.facts.url
    assert found["CURL_CA_BUNDLE"] == led.facts.bundle
    assert found["NO_PROXY"] == "localhost,127.0.0.1,::1"


def test_the_certificates_may_be_written_elsewhere(
    led: Intercepted, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    assert main(["env", "--proxy", "--root-url", led.scene.root, "--ca-bundle", str(bundle)]) == 0
    assert printed(capsys)["SSL_CERT_FILE"] == str(bundle)
    assert led.facts.ca_pem in bundle.read_text()


@pytest.fixture
def elsewhere(led: Intercepted) -> Intercepted:
    """A server whose files are on another machine."""
    proxy = led.scene.server.app.public_urls.proxy
    assert proxy is not None
    led.scene.server.app.public_urls.proxy = {**proxy, "ca_bundle": "/nowhere/ca-bundle.pem"}
    return led


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--root-url", "http://127.0.0.1:1"), "--proxy: http://127.0.0.1:1"),
        (("--root-url", "{root}", "--ca-bundle", "/nowhere/x"), "--ca-bundle /nowhere/x: No such file"),
        (("--root-url", "{root}"), "give --ca-bundle FILE"),
    ],
)
def test_a_mistake_is_one_line(
    elsewhere: Intercepted, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    given = [argument.format(root=elsewhere.scene.root) for argument in arguments]
    assert main(["env", "--proxy", *given]) == 2
    assert re.fullmatch(rf"mockserver: .*{re.escape(said)}.*\n", capsys.readouterr().err)


def test_a_bundle_without_a_proxy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--ca-bundle", "x"]) == 2
    assert "goes with --proxy" in capsys.readouterr().err


def test_an_empty_proxy_variable_is_none() -> None:
    assert proxy_in_the_way({"HTTPS_PROXY": "", "NO_PROXY": "*"}) is None
