"""A Redis server that is away, comes back, or comes back empty, as the clients of a server see it."""

import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path

from shared.conftest import APP, EVOLINK, FLAGS, Process, serving, until
from support.serving import CLEAN, COMMAND
from support.valkey import valkey_running

KEY = {"Authorization": "Bearer k"}
BODY = {"model": "gpt-image-2-beta", "prompt": "x"}


def test_while_the_store_is_away_calls_are_a_503_in_the_provider_s_shape_and_nothing_is_lost() -> None:
    with valkey_running() as valkey, serving(valkey.url("p"), "--latency", "0.1") as server:
        task_id = server.submit()["id"]
        valkey.pause()
        for path in (EVOLINK, "/xhuoapi/v1/openai/images/generations"):
            answer = server.http.post(path, json={"model": "gpt-image-2", "prompt": "x"}, headers=KEY)
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/json")
            assert "error" in answer.json()
        answer = server.http.get("/_mock/tasks")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")
        assert server.http.get("/healthz").status_code == 200
        valkey.go_on()
        until(lambda: server.http.get("/_mock/health").status_code == 200)
        until(lambda: server.poll(task_id)["status"] == "completed")
        assert server.money()["held"] == 0
        lines = log_until(server, "can be used again")
        assert ["refused (503)" in line for line in lines] == [True, False]


def log_until(server: Process, last: str) -> list[str]:
    """What a server has written to stderr, up to a line with a text."""
    stream = server.running.process.stderr
    assert stream is not None
    os.set_blocking(stream.fileno(), False)
    found = b""

    def said() -> bool:
        nonlocal found
        with suppress(BlockingIOError):
            found += os.read(stream.fileno(), 65_536)
        return last.encode() in found

    until(said)
    return found.decode().splitlines()


def test_a_store_that_comes_back_empty_counts_as_a_reset(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.toml"
    scenario.write_text("[[faults]]\nfault = {type = 'task_fail'}\n")
    with valkey_running() as valkey, serving(valkey.url("p"), *FLAGS, "--scenario", str(scenario)) as server:
        server.submit()
        valkey.stop()
        assert (
            server.http.post(EVOLINK, json={"model": "gpt-image-2-beta", "prompt": "x"}, headers=KEY).status_code == 503
        )
        valkey.start()
        until(lambda: server.http.get("/_mock/health").status_code == 200)
        assert server.ask("GET", "tasks")["tasks"] == []
        assert server.submit()["status"] == "pending"
        assert server.money()["held"] == 2.5
        until(lambda: server.ask("GET", "routes")["routes"] == [{"from": APP, "to": "http://127.0.0.1:9"}])
        until(lambda: [rule["id"] for rule in server.ask("GET", "faults")["faults"]] == ["scenario-1"])


def test_a_store_that_is_away_at_the_start_is_one_sentence() -> None:
    with valkey_running() as valkey:
        url = valkey.url()
    done = subprocess.run([*COMMAND, "serve", "--store", url], env=CLEAN, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert re.match(r"mockserver: the store redis://127\.0\.0\.1:[0-9]+/ is away: ", done.stderr)
