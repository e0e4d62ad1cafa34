"""The index page at `/`, and the answers to unknown paths and malformed requests outside every provider."""

from collections.abc import Callable
from html import escape

from aiohttp.web import BaseRequest, Response, StreamResponse

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.text import write_json
from mockserver.http.public_urls import PublicUrls

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Image API mock server</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c2330 }}
  h1 {{ font-size: 1.5rem }} h2 {{ font-size: 1.1rem; margin: 2rem 0 .3rem }} p {{ margin: .3rem 0 }}
  pre {{ background: #f2f4f8; padding: .8rem 1rem; border-radius: .4rem; overflow-x: auto; font-size: .85rem }}
  small {{ color: #5a6579 }}
</style>
<h1>Image API mock server</h1>
<p>Emulates these services; no call is billed.</p>
{mounts}
<h2>Control surface</h2>
<p><a href="{root}/_mock/"><strong>The live page: {root}/_mock/</strong></a></p>
<p><a href="{root}/_mock/health">{root}/_mock/health</a>, <a href="{root}/_mock/tasks">tasks</a>,
<a href="{root}/_mock/callbacks">callbacks</a>, <a href="{root}/_mock/requests">requests</a>,
<a href="{root}/_mock/accounts">accounts</a>, <a href="{root}/_mock/clock">clock</a>,
<a href="{root}/_mock/faults">faults</a>, <a href="{root}/_mock/routes">callback routes</a></p>
"""
_LLMS = """# Image API mock server

> A local stand-in for paid image-generation APIs. It answers as they do, with placeholder pictures; no call is billed.

## Base URLs

Change a client's base URL, nothing else. Any well-formed API key works; icodeeasy's begin with sk_.

{mounts}

## Provoke a failure

- A key that ends in -mock-401, -mock-402, -mock-429 or -mock-500 gets that error (402: out of balance).
- A prompt with [mock:fail], [mock:fail=CODE], [mock:moderated], [mock:delay=SECONDS] or [mock:status=CODE] does so.
- Everything else (lost callbacks, broken connections, stuck tasks) is a fault rule: POST /_mock/faults, below.

## Control surface (JSON, no API key)

- GET {root}/_mock/health: clock, seed, what is pending, internal errors
- GET {root}/_mock/requests: every call with its answer
- GET {root}/_mock/tasks, and POST {root}/_mock/tasks/ID/complete or /fail or /cancel
- GET {root}/_mock/callbacks, and POST {root}/_mock/callbacks/ID/redeliver
- PUT {root}/_mock/clock {{"mode": "virtual"}}: time stands still until it is advanced
- POST {root}/_mock/clock/advance {{"seconds": 7}} or {{"until": "idle"}}
- POST {root}/_mock/faults {{"match": {{"provider": "NAME"}}, "times": 1, "fault": {{"type": "status", "status": 503}}}}
- GET {root}/_mock/fault-kinds: each fault with its parameters
- PUT {root}/_mock/accounts/KEY?provider=NAME {{"balance": "0"}}
- POST {root}/_mock/reset {{}}: forget everything

Each provider's OpenAPI description is at {root}/NAME/openapi.json, the control surface's at {root}/_mock/openapi.json.
"""
_MOUNT = """<h2>{title}</h2>
<p>Base URL <code>{base}</code> <small>instead of {replaces}</small></p>
<pre>{curl}</pre>
<p><small>{note}</small></p>"""


@fast_dataclass
class IndexEntry:
    """A provider on the index page. `replaces` is its documented base URL, `curl` a command that works against it."""

    name: str
    title: str
    base_url: str
    replaces: str
    curl: str
    note: str


class IndexPage:
    """Answers requests outside every provider. `entries` lists the providers for a root URL of this server."""

    def __init__(self, entries: Callable[[str], list[IndexEntry]], public_urls: PublicUrls) -> None:
        self._entries = entries
        self._public_urls = public_urls

    def answer(self, request: BaseRequest) -> StreamResponse:
        """The index at `/`, as a page for browsers and as text for other clients; elsewhere a 404 that lists it."""
        root = self._public_urls.root(request)
        if request.path != "/":
            return self._unknown_path(request.path, root)
        if request.method not in ("GET", "HEAD"):
            return _json(405, "wrong_method", "The index accepts only GET.", Allow="GET, HEAD")
        if "text/html" in request.headers.get("Accept", ""):
            return Response(text=self._page(root), content_type="text/html")
        return Response(text=self._text(root), content_type="text/plain")

    def llms(self, request: BaseRequest) -> StreamResponse:
        """The answer at `/llms.txt`: one page for coding agents."""
        if request.method not in ("GET", "HEAD"):
            return _json(405, "wrong_method", "This page accepts only GET.", Allow="GET, HEAD")
        root = self._public_urls.root(request)
        mounts = "\n".join(
            f"- {entry.name}: {entry.base_url} instead of {entry.replaces}, as in\n  {entry.curl}"
            for entry in self._entries(root)
        )
        return Response(text=_LLMS.format(mounts=mounts, root=root), content_type="text/plain")

    def probe(self, request: BaseRequest) -> StreamResponse:
        """The answer to a liveness or readiness probe."""
        if request.method not in ("GET", "HEAD"):
            return _json(405, "wrong_method", "A probe accepts only GET.", Allow="GET, HEAD")
        return Response(body=b'{"status":"ok"}', content_type="application/json")

    def _unknown_path(self, path: str, root: str) -> Response:
        mounts = {entry.name: entry.base_url for entry in self._entries(root)}
        message = f"Nothing is at {path[:200]}. Each provider is under its own prefix, as in `mounts`."
        if path.startswith("//"):
            message += f" Did you mean /{path.lstrip('/')[:200]}, with one slash?"
        body = {"error": {"code": "not_found", "message": message}, "mounts": mounts, "control": f"{root}/_mock/health"}
        return Response(body=write_json(body), status=404, content_type="application/json")

    def malformed_request(self, timed_out: bool = False) -> Response:
        """The answer to an invalid HTTP request, or to one that did not arrive in time."""
        if timed_out:
            return _json(408, "timeout", "The request did not arrive in time.")
        return _json(400, "bad_request", "This is not a valid HTTP request.")

    def internal_error(self) -> Response:
        """The answer to an internal error outside every provider."""
        return _json(500, "internal_error", "Internal error of the mock server; its log has the traceback.")

    def _text(self, root: str) -> str:
        lines = ["Image API mock server", ""]
        for entry in self._entries(root):
            lines += [f"{entry.title}: {entry.base_url}", f"  {entry.curl}", ""]
        return "\n".join([*lines, f"Live page: {root}/_mock/", f"Control surface: {root}/_mock/health", ""])

    def _page(self, root: str) -> str:
        mounts = [
            _MOUNT.format(
                title=escape(entry.title),
                base=escape(entry.base_url),
                replaces=escape(entry.replaces),
                curl=escape(entry.curl),
                note=escape(entry.note),
            )
            for entry in self._entries(root)
        ]
        return _PAGE.format(mounts="\n".join(mounts), root=escape(root))


def _json(status: int, code: str, message: str, **headers: str) -> Response:
    body = write_json({"error": {"code": code, "message": message}})
    return Response(body=body, status=status, headers={"Content-Type": "application/json", **headers})
