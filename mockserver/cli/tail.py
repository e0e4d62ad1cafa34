"""Follows the events of a running server, and prints a line for each, as the server's console does."""

import json
import os
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from threading import Event
from typing import Any
from urllib.error import HTTPError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from mockserver.cli.by_hand import Failed, url_of, warn
from mockserver.cli.console import UNSENT, TextLines, without_key
from mockserver.client.mock_client import MockClient
from mockserver.client.protocol import ControlCall, MockError, Operation, read_answer, segment

SILENCE_SECONDS = 40.0
"""Real seconds without a byte after which the connection counts as lost: the server sends a comment every 15."""

RETRY_SECONDS = 1.0
_GONE: Mapping[str, Any] = {"size": "", "count": 1, "will_fail": None, "failure": None}
"""What is known of a task that is no longer kept."""


def follow(values: Mapping[str, Any], colour: bool) -> Iterator[str]:
    """A line for each event from now on. A connection that is lost is made again, from the last event on.

    Raises:
        Failed: if the server can't be reached at first, or refuses.
    """
    url = url_of(values)
    with MockClient(url, control_token=values.get("control_token")) as mock:
        try:
            names = mock.health()["providers"]
        except MockError as error:
            raise Failed(error.message) from None
        opener, headers = build_opener(ProxyHandler({})), _headers(values)
        lines = EventLines(mock, names, colour)
        while True:
            try:
                for number, kind, data in _events(opener, f"{url}/_mock/events", headers):
                    headers["Last-Event-ID"] = number
                    yield from lines.of(kind, data)
            except HTTPError as error:
                raise Failed(_refusal(error)) from None
            except (OSError, HTTPException):
                pass
            warn("the connection is lost; trying again")
            Event().wait(RETRY_SECONDS)


def _headers(values: Mapping[str, Any]) -> dict[str, str]:
    token = values.get("control_token") or os.environ.get("MOCKSERVER_CONTROL_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refusal(error: HTTPError) -> str:
    try:
        read_answer(error.code, error.read())
    except MockError as refusal:
        return refusal.message
    return f"the server answers {error.code}"


def _events(opener: OpenerDirector, url: str, headers: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    """The id, the kind and the data of each event, until the connection ends."""
    fields: dict[str, str] = {}
    with opener.open(Request(url, headers=dict(headers)), timeout=SILENCE_SECONDS) as stream:
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            if "data" in fields:
                yield fields.get("id", ""), fields.get("event", ""), json.loads(fields["data"])
            fields = {}


class EventLines:
    """The lines of events; what an event leaves out is asked of the server."""

    def __init__(self, mock: MockClient, providers: list[str], colour: bool) -> None:
        self._mock = mock
        self._lines = TextLines(dict.fromkeys(providers), colour)  # type: ignore[arg-type]

    def of(self, kind: str, data: Mapping[str, Any]) -> Iterator[str]:
        """The lines of one event: none for what the console does not show, and for a record that is gone again."""
        if kind == "gap":
            yield "… events were missed"
        elif kind == "request":
            yield self._request(data)
        elif kind == "task" and (task := self._record("tasks", data["id"])):
            yield self._task(task, data.get("callback"))
        elif kind == "callback":
            yield self._attempt(data)

    def _record(self, noun: str, name: str) -> Mapping[str, Any] | None:
        def ask() -> Operation[Mapping[str, Any]]:
            found: Mapping[str, Any] = yield ControlCall("GET", f"{noun}/{segment(name)}")
            return found

        try:
            return self._mock.do(ask())
        except MockError:
            return None

    def _request(self, row: Mapping[str, Any]) -> str:
        details = [row["error"]] if row["error"] else []
        if row["cost"] is not None and not details:
            details.append(f"{row['cost']} {row['currency']}")
        task_id = row["task_id"]
        if task_id and row["method"] == "POST" and task_id not in row["path"]:
            task = self._record("tasks", task_id) or _GONE
            several = f" ×{task['count']}" if task["count"] > 1 else ""
            details.append(f"{row['model']} {task['size']}{several}  {task_id}")
            code = task["will_fail"] or (task["failure"] or {}).get("code")
            if code and not row["error"]:
                details.append(f"will fail: {code}")
        if row["note"]:
            details.append(row["note"])
        what = f"{row['method']} {row['path'].removeprefix('/' + row['provider'])}"
        status, seconds = row["status"], row["duration"] or 0.0
        return self._lines.line(row["time"], row["provider"], what, status, seconds, "  ".join(details), status)

    def _task(self, task: Mapping[str, Any], callback: str | None) -> str:
        cost = f"{task['price']} {task['currency']}"
        failure = task["failure"]
        details = f"failed: {failure['code']}  {cost} released" if failure else f"completed  {cost}"
        if callback is not None and callback in UNSENT:
            details += f"  {UNSENT[callback]}"
        sign, status = ("✗", 500) if failure else ("✓", 200)
        due = task["due"] or task["created"]
        what = f"task {task['id']}"
        return self._lines.line(due, task["provider"], what, sign, due - task["created"], details, status)

    def _attempt(self, made: Mapping[str, Any]) -> str:
        account, status, number = made["account"], made["status"], made["number"]
        first = number == 1 and made["state"] == "delivered"
        details = made["task_id"] + ("" if first else f"  attempt {number}")
        if made["error"]:
            details += f": {without_key(made['error'], account)}"
        if made["next_attempt"] is None:
            details += f"  {made['state'].replace('_', ' ')}"
        else:
            details += f"  next in {made['next_attempt'] - made['time'] - made['duration']:.3g} s"
        what = f"callback → {without_key(made['url'], account)}"
        return self._lines.line(made["time"], made["provider"], what, status, made["duration"], details, status)
