"""GET /_mock/requests.har: the journal and the callbacks' attempts in the HTTP Archive format, version 1.2.

http://www.softwareishard.com/blog/har-12-spec/ is the format. API keys are left out, as in every other call.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.client import responses
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp.web import StreamResponse

from mockserver import __version__
from mockserver.control.control_request import ControlRequest
from mockserver.control.queries import Queries
from mockserver.control.streaming import streamed
from mockserver.engine.callbacks import Delivery
from mockserver.engine.engine import Engine
from mockserver.engine.journal import Exchange
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.engine.text import write_json
from mockserver.http.public_urls import PublicUrls

_UNKNOWN = -1
"""HAR: a size that is not known."""

_PIECE = 10
"""Entries that are written at once."""


@dataclass(frozen=True, slots=True)
class Har:
    """Writes the record of one server as HAR."""

    engine: Engine
    queries: Queries
    public_urls: PublicUrls

    async def show(self, request: ControlRequest) -> StreamResponse:
        """Everything that is kept, oldest first, in pieces: others are served meanwhile.

        An attempt of a callback has a comment that names its task.
        """
        store = self.engine.store
        exchanges, deliveries = await store.entries(Wanted(), EVERYTHING), await store.deliveries(Wanted(), EVERYTHING)
        pieces = self._pieces(exchanges[0], deliveries[0], self.public_urls.root(request.http_request))
        return await streamed(request.http_request, pieces)

    def _pieces(self, exchanges: list[Exchange], deliveries: list[Delivery], root: str) -> Iterator[bytes]:
        records: list[tuple[float, Callable[[], dict[str, Any]]]] = [
            (one.time, partial(self._of_request, one, root)) for one in reversed(exchanges)
        ]
        for one in reversed(deliveries):
            records += [(made.time, partial(self._of_attempt, one, number)) for number, made in enumerate(one.attempts)]
        records.sort(key=itemgetter(0))
        creator = write_json({"name": "mockserver", "version": __version__})
        yield b'{"log":{"version":"1.2","creator":%s,"entries":[' % creator
        for start in range(0, len(records), _PIECE):
            entries = [entry() for _, entry in records[start : start + _PIECE]]
            yield (b"," if start else b"") + write_json(entries)[1:-1]
        yield b"]}}"

    def _of_request(self, exchange: Exchange, root: str) -> dict[str, Any]:
        return _of_request(self.queries.request_view(exchange), root)

    def _of_attempt(self, delivery: Delivery, number: int) -> dict[str, Any]:
        view = self.queries.callback_view(delivery)
        return _of_attempt(view, view["attempts"][number])


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
