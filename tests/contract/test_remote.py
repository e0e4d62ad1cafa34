"""The suite on a remote target: keys, budget, TLS, recording and drift, against a mock in a process of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from contract.scene import KEY, Ran, RunSuite
from contract_tests import mock, receiver

SECRET_PATH = "receiver-s3cr3t"
CALLBACKS = f"https://hooks-of-this-run.example.com/{SECRET_PATH}"
SLOW = "not retries and not 2xx_is_success"
"""Real waits of 11 to 23 seconds: a full run has them, this one has not."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and server.pem for the mock."""
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(
        str(folder / "server.pem")
    )
    return folder


@pytest.fixture(scope="module")
def live(authority: Path) -> Iterator[list[str]]:
    """The options of a run on a mock with TLS and one valid key, in real time."""
    pem = str(authority / "server.pem")
    with receiver.running(secret=SECRET_PATH) as read_url:
        route = f"https://hooks-of-this-run.example.com={read_url.rpartition('/')[0]}"
        options = ["--tls-cert", pem, "--tls-key", pem, "--api-key", KEY, "--latency", "0.01-0.05", "--quiet"]
        with mock.started([*options, "--callback-route", route]) as root:
            targets = [
                part for name in ("xhuoapi", "icodeeasy", "evolink") for part in ("--target", f"{name}={root}/{name}")
            ]
            yield [
                *targets, "--budget", "200", "--ca-bundle", str(authority / "ca.pem"), "--require-live", "-k", SLOW,
                "--callback-base-url", CALLBACKS, "--callback-read-url", read_url,
            ]  # fmt: skip


def _assert_everything_held(ran: Ran) -> None:
    assert ran.status == 0, ran.output
    outcomes = {entry["id"]: entry["outcome"] for entry in ran.report["claims"]}
    assert set(outcomes.values()) <= {"held", "skipped"}
    assert sum(outcome == "held" for outcome in outcomes.values()) > 70


def test_a_run_passes_is_recorded_and_replayed(live: list[str], run_suite: RunSuite, tmp_path: Path) -> None:
    folder, page = tmp_path / "recording", tmp_path / "summary.md"
    ran = run_suite(*live, "--record", str(folder), "--drift", "--contract-markdown", str(page), timeout=200)
    _assert_everything_held(ran)
    assert [finding for finding in ran.report["drift"] if finding["level"] != "info"] == []
    assert page.read_text("utf-8").startswith("# Contract tests\n")
    for path in folder.iterdir():
        _assert_no_secret(path.read_text("utf-8"), live)
    again = run_suite("--target", f"replay:{folder}", "-k", SLOW)
    _assert_everything_held(again)


def _assert_no_secret(text: str, live: list[str]) -> None:
    target = next(part for part in live if "xhuoapi=" in part).rpartition("=")[2].removesuffix("/xhuoapi")
    assert target.startswith("https://127.0.0.1:")
    for secret in (KEY, SECRET_PATH, "iVBOR", target, "hooks-of-this-run.example.com"):
        assert secret not in text, text[:2000]
    for part in text.split("sig=")[1:]:
        assert part.startswith("REDACTED")
    assert "exchanges" in json.loads(text)


def test_no_test_costs_more_than_was_planned(live: list[str], run_suite: RunSuite) -> None:
    ran = run_suite(*live, "--claim", "XH-EDIT-1", "--claim", "IC-BODY-1", "--claim", "EV-IDEM-1")
    planned = {
        line.split()[1].rstrip(":"): float(line.split("at most ")[1].split()[0])
        for line in ran.output.splitlines()
        if line.startswith("plan: ")
    }
    spent = {name: float(text.split()[0]) for name, text in ran.report["spent"].items()}
    assert ran.status == 0, ran.output
    assert all(0 < spent[name] <= planned[name] for name in spent)
