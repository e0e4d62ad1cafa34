"""What a store keeps for the next process: after an orderly end, after `kill -9`, and while the store is away."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.engine.clock import VIRTUAL_START
from mockserver.engine.store.shared import INTERRUPTED
from shared.conftest import APP, FLAGS, Process, serving, until
from support import web
from support.receiver import receiver

OWN_WAY = "the store goes on with its own clock, seed and routes; POST /_mock/reset begins anew with the command line's"


def end(process: Process) -> None:
    process.running.end()


def crash(process: Process) -> None:
    process.running.process.kill()
    process.running.process.wait()


@pytest.mark.parametrize("how", [end, crash])
def test_a_restarted_server_goes_on_where_it_was(url: str, how: Callable[[Process], None]) -> None:
    with serving(url, *FLAGS) as before:
        before.ask("POST", "faults", {"fault": {"type": "task_fail"}, "match": {"provider": "evolink"}, "times": 1})
        failing, task_id = before.submit()["id"], before.submit()["id"]
        before.advance(2)
        how(before)
    with serving(url, *FLAGS) as after:
        assert "goes on with what it has" in after.running.text
        assert OWN_WAY not in after.running.text
        assert after.ask("GET", "clock")["now"] == VIRTUAL_START + 2
        assert after.money() == {"opening": 1000, "balance": 995, "held": 5, "captured": 0}
        assert after.ask("GET", "faults")["faults"][0]["fired"] == 1
        assert after.advance(3) == [("finish", failing), ("finish", task_id)]
        assert after.money() == {"opening": 1000, "balance": 997.5, "held": 0, "captured": 2.5}
        assert [after.poll(name)["status"] for name in (failing, task_id)] == ["failed", "completed"]
        assert after.submit()["id"] not in (failing, task_id)


def test_a_server_that_was_asked_for_something_else_says_so_and_a_reset_gives_it(url: str) -> None:
    with serving(url, *FLAGS) as before:
        before.submit()
    with serving(url, "--seed", "other", "--log-format", "json") as after:
        assert OWN_WAY in after.running.text
        health = after.ask("GET", "health")
        assert (health["seed"], health["clock"]["mode"]) == ("s", "virtual")
        after.ask("POST", "reset", {})
        health = after.ask("GET", "health")
        assert (health["seed"], health["clock"]["mode"]) == ("other", "real")
        assert after.ask("GET", "routes")["routes"] == []


def test_what_fell_due_while_no_server_ran_runs_at_the_restart(url: str) -> None:
    with receiver() as got:
        flags = ("--latency", "0.3", "--callback-route", f"{APP}={got.url}")
        with serving(url, *flags) as before:
            task_id = before.submit(callback_url=f"{APP}/x")["id"]
            crash(before)
        assert got.bodies == []
        with serving(url, *flags) as after:
            until(lambda: got.bodies)
            assert [body["id"] for body in got.bodies] == [task_id]
            until(lambda: after.ask("GET", "callbacks")["callbacks"][0]["state"] == "delivered")


def test_an_attempt_under_way_at_a_crash_is_made_again_and_both_are_on_record(url: str) -> None:
    """By the other process, within 2 s; the receiver gets the callback twice."""
    crashed: list[Process] = []

    def before() -> None:
        if not crashed:
            crashed.append(first)
            crash(first)

    with receiver(before=before) as got:
        flags = ("--latency", "0.2", "--callback-route", f"{APP}={got.url}")
        with serving(url, *flags) as first:
            first.submit(callback_url=f"{APP}/x")
            until(lambda: crashed)
            with serving(url, *flags) as second:
                until(lambda: second.ask("GET", "callbacks")["callbacks"][0]["state"] == "delivered", 5)
                (callback,) = second.ask("GET", "callbacks")["callbacks"]
    assert [attempt["error"] for attempt in callback["attempts"]] == [INTERRUPTED, None]
    assert len(got.bodies) == 2


def test_scenarios_are_put_in_force_on_a_new_store_and_after_a_reset_alone(url: str, tmp_path: Path) -> None:
    scenario = tmp_path / "mine.toml"
    scenario.write_text("[[faults]]\nfault = {type = 'task_fail'}\n")
    with serving(url, "--scenario", str(scenario)) as before:
        assert [rule["id"] for rule in before.ask("GET", "faults")["faults"]] == ["scenario-1"]
        before.ask("DELETE", "faults")
    with serving(url, "--scenario", str(scenario)) as after, serving(url, "--scenario", str(scenario)) as other:
        assert other.ask("GET", "faults")["faults"] == []
        after.ask("POST", "reset", {})
        assert [rule["id"] for rule in other.ask("GET", "faults")["faults"]] == ["scenario-1"]


def test_a_killed_worker_s_callbacks_are_sent_by_another(url: str) -> None:
    with receiver() as got:
        flags = ("--workers", "2", "--latency", "0.5-1.5", "--callback-route", f"{APP}={got.url}", "--quiet")
        with serving(url, *flags) as server:
            ids = [server.submit(f"key-{turn}", callback_url=f"{APP}/x")["id"] for turn in range(40)]
            os.kill(web.get(f"{server.running.root}/_mock/health").json()["process"], signal.SIGKILL)
            until(lambda: len({body["id"] for body in got.bodies}) == len(ids))
            server.http.get("/_mock/callbacks", params={"wait": 30})
            callbacks = server.ask("GET", "callbacks", limit=1000)["callbacks"]
            assert {one["state"] for one in callbacks} == {"delivered"}
            assert sum(len(one["attempts"]) for one in callbacks) >= len(got.bodies)


KEY = {"Authorization": "Bearer k"}
BODY = {"model": "gpt-image-2-beta", "prompt": "x"}
