"""GET /_mock/requests.har: strict checks of the fields of HAR 1.2."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mockserver.cli import main
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web

KEY = "my-very-secret-key"
REQUEST = {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"}
RESPONSE = {
    "status",
    "statusText",
    "httpVersion",
    "cookies",
    "headers",
    "content",
    "redirectURL",
    "headersSize",
    "bodySize",
}


def check(har: dict[str, Any]) -> list[dict[str, Any]]:
    """Hold a log to HAR 1.2: required fields, their types, and the sum of the timings."""
    assert har.keys() == {"log"}
    log = har["log"]
    assert (log["version"], log["creator"].keys()) == ("1.2", {"name", "version"})
    for entry in log["entries"]:
        assert entry.keys() == {"startedDateTime", "time", "request", "response", "cache", "timings", "comment"}
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        assert entry["time"] == sum(entry["timings"].values())
        assert entry["request"].keys() - {"postData"} == REQUEST
        assert entry["response"].keys() == RESPONSE
        assert entry["request"]["url"].startswith(("http://", "https://"))
        assert isinstance(entry["response"]["status"], int)
        content = entry["response"]["content"]
        assert (content.keys(), content["size"]) == ({"size", "mimeType", "text"}, len(content["text"].encode()))
        pairs = [*entry["request"]["headers"], *entry["request"]["queryString"], *entry["response"]["headers"]]
        assert all(pair.keys() == {"name", "value"} for pair in pairs)
        assert all(isinstance(value, str) for pair in pairs for value in pair.values())
        if "postData" in entry["request"]:
            assert entry["request"]["postData"].keys() == {"mimeType", "params", "text"}
    found: list[dict[str, Any]] = log["entries"]
    assert found == sorted(found, key=lambda entry: str(entry["startedDateTime"]))
    return found


def test_requests_and_callbacks_without_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    routes = ("https://app.example.com=http://127.0.0.1:1/_mock/sink/hook",)
    with MockServer(Settings(clock="virtual", latency="5", callback_routes=routes)) as mock:
        mock.sink("hook").script(500)
        body = {
            "model": "gpt-image-2-beta",
            "prompt": f"a fox {KEY}",
            "callback_url": f"https://app.example.com/done?key={KEY}",
        }
        headers = {"Authorization": f"Bearer {KEY}"}
        url = f"{mock.root_url}/evolink/v1"
        task = web.post(f"{url}/images/generations?a=1&b=", json=body, headers=headers).json()["id"]
        web.get(f"{url}/tasks/{task}", headers=headers)
        mock.clock.advance(until="idle")
        answer = web.get(f"{mock.root_url}/_mock/requests.har")
        monkeypatch.setenv("MOCKSERVER_URL", mock.root_url)
        file = tmp_path / "calls.har"
        assert main(["har", str(file)]) == 0
        assert main(["har", str(tmp_path / "no" / "calls.har")]) == 1
        assert "No such file" in capsys.readouterr().err
    entries = check(answer.json())
    assert json.loads(file.read_text()) == answer.json()
    assert KEY not in answer.text
    methods = [(entry["request"]["method"], entry["response"]["status"]) for entry in entries]
    assert methods == [("POST", 200), ("GET", 200), ("POST", 500), ("POST", 200)]
    assert entries[0]["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert json.loads(entries[0]["request"]["postData"]["text"])["model"] == "gpt-image-2-beta"
    assert [task in entry["comment"] for entry in entries] == [False, False, True, True]


def test_an_empty_record_is_a_valid_log() -> None:
    with MockServer() as mock:
        assert check(web.get(f"{mock.root_url}/_mock/requests.har").json()) == []
