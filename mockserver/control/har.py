"""GET /_mock/requests.har: the journal and the callbacks' attempts in the HTTP Archive format, version 1.2.

http://www.softwareishard.com/blog/har-12-spec/ is the format. API keys are left out, as in every other call.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mockserver import __version__
from mockserver.control.control_request import ControlRequest
from mockserver.control.queries import Queries
from mockserver.engine.engine import Engine
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.http.public_urls import PublicUrls

_UNKNOWN = -1
"""HAR: a size that is not known."""


@dataclass(frozen=True, slots=True)
class Har:
    """Writes the record of one server as HAR."""

    engine: Engine
    queries: Queries
    public_urls: PublicUrls

    async def show(self, request: ControlRequest) -> dict[str, Any]:
        """Everything that is kept, oldest first. An attempt of a callback has a comment that names its task."""
        root = self.public_urls.root(request.http_request)
        store = self.engine.store
        found = [
            _of_request(self.queries.request_view(one), root)
            for one in reversed((await store.entries(Wanted(), EVERYTHING))[0])
        ]
        for delivery in reversed((await store.deliveries(Wanted(), EVERYTHING))[0]):
            view = self.queries.callback_view(delivery)
            found += [_of_attempt(view, attempt) for attempt in view["attempts"]]
        entries = sorted(found, key=lambda entry: str(entry["startedDateTime"]))
        creator = {"name": "mockserver", "version": __version__}
        return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _of_request(view: Mapping[str, Any], root: str) -> dict[str, Any]:
    headers = view["headers"]
    sent = _request(view["method"], root + view["path"], headers, view["body"], view["body_size"])
    got = _response(view["status"], view["response"], view["response_type"])
    return _entry(view["time"], view["duration"], sent, got, f"request {view['id']}")


def _of_attempt(view: Mapping[str, Any], attempt: Mapping[str, Any]) -> dict[str, Any]:
    body = _text(view["body"])
    headers = {"Content-Type": "application/json", "Mock-Callback": view["id"]}
    sent = _request("POST", view["routed"] or view["target"], headers, body, len(body.encode()))
    got = _response(attempt["status"], attempt["response"], "")
    comment = f"callback {view['id']} of task {view['task_id']}" + (f": {attempt['error']}" if attempt["error"] else "")
    return _entry(attempt["time"], attempt["duration"], sent, got, comment)


def _entry(
    when: float, seconds: float | None, request: dict[str, Any], response: dict[str, Any], comment: str
) -> dict[str, Any]:
    milliseconds = round((seconds or 0.0) * 1000, 3)
    return {
        "startedDateTime": datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds"),
        "time": milliseconds,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": comment,
    }


def _request(method: str, url: str, headers: Mapping[str, str], body: Any, size: int) -> dict[str, Any]:
    query = [{"name": name, "value": value} for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    sent = {
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "queryString": query,
        "headersSize": _UNKNOWN,
        "bodySize": size,
    }
    if size:
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        sent["postData"] = {"mimeType": kind, "params": [], "text": _text(body)}
    return sent


def _response(status: int | None, body: Any, kind: str) -> dict[str, Any]:
    """HAR's status of a response that never came is 0."""
    text = _text(body)
    return {
        "status": status or 0,
        "statusText": responses.get(status or 0, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": "Content-Type", "value": kind}] if kind else [],
        "content": {"size": len(text.encode()), "mimeType": kind, "text": text},
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }


def _text(body: Any) -> str:
    """A kept body, which a view has parsed if it was JSON, as text."""
    if body is None:
        return ""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
