"""GET /_mock/metrics: what it counts, that nothing is observed before, and the answer without the extra."""

import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web


def samples(mock: MockServer) -> dict[tuple[str, ...], float]:
    answer = web.get(f"{mock.root_url}/_mock/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def submit(mock: MockServer) -> None:
    body = {"model": "gpt-image-2-beta", "prompt": "a fox", "callback_url": "https://app.example.com/done"}
    headers = {"Authorization": "Bearer my-key"}
    task = web.post(f"{mock.root_url}/evolink/v1/images/generations", json=body, headers=headers).json()["id"]
    web.get(f"{mock.root_url}/evolink/v1/tasks/{task}", headers=headers)


def test_it_counts_what_was_before_the_first_call_and_what_comes_after() -> None:
    routes = ("https://app.example.com=http://127.0.0.1:1/_mock/sink/hook",)
    with MockServer(Settings(clock="virtual", latency="60", callback_routes=routes)) as mock:
        mock.sink("hook").script(500)
        submit(mock)
        assert mock.app.engine.journal.observers == []
        found = samples(mock)
        post = ("mockserver_requests_total", "evolink", "/v1/images/generations", "200")
        assert found[post] == found["mockserver_requests_total", "evolink", "/v1/tasks/{task_id}", "200"] == 1
        assert found["mockserver_queue_length", "tasks"] == 1
        assert found["mockserver_money_held", "credits", "evolink"] == 2.5
        submit(mock)
        web.get(f"{mock.root_url}/evolink/v1/nothing")
        mock.clock.advance(until="idle")
        found = samples(mock)
        assert (found[post], found["mockserver_requests_total", "evolink", "unknown", "404"]) == (2, 1)
        assert found["mockserver_request_duration_seconds_count", "evolink", "/v1/images/generations"] == 2
        assert found["mockserver_tasks", "evolink", "completed"] == 2
        assert found["mockserver_callback_attempts_total", "failure", "evolink"] == 1
        assert found["mockserver_callback_attempts_total", "success", "evolink"] == 2
        assert found["mockserver_money_captured", "credits", "evolink"] == 5
        assert found["mockserver_dropped", "tasks"] == 0
        mock.reset()
        assert samples(mock)[post] == 2


def test_without_the_extra_the_answer_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mockserver.control.metrics", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with MockServer() as mock:
        answer = web.get(f"{mock.root_url}/_mock/metrics")
    assert answer.status_code == 501
    assert "[metrics]" in answer.json()["error"]["message"]
