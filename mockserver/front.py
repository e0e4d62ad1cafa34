"""The front door: an index of what is mounted here, and the answer to whoever took a wrong turn."""

import json
from html import escape
from shlex import quote

from aiohttp.web import BaseRequest, Response, StreamResponse
from pydantic_core import to_json

from mockserver.origins import Origins
from mockserver.providers.base import Provider

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
<p>Answers as these services do, and nothing here is billed.</p>
{mounts}
<h2>Control surface</h2>
<p><a href="{root}/_mock/health">{root}/_mock/health</a>, <a href="{root}/_mock/tasks">tasks</a>,
<a href="{root}/_mock/callbacks">callbacks</a>, <a href="{root}/_mock/requests">requests</a>,
<a href="{root}/_mock/accounts">accounts</a>, <a href="{root}/_mock/clock">clock</a>,
<a href="{root}/_mock/faults">faults</a>, <a href="{root}/_mock/routes">callback routes</a></p>
"""
_MOUNT = """<h2>{title}</h2>
<p>Base URL <code>{base}</code> <small>instead of https://{host}{path}</small></p>
<pre>{curl}</pre>
<p><small>{note}</small></p>"""


def base_url(provider: Provider, root: str) -> str:
    """What replaces a provider's documented base URL, when this server is at `root`."""
    return f"{root}/{provider.name}{provider.base_path}"


def curl_line(provider: Provider, root: str) -> str:
    """A curl command that works against the provider's mount at `root`."""
    example = provider.example
    body = json.dumps(example.body, ensure_ascii=False)
    return (
        f"curl {root}/{provider.name}{example.path} -H 'Authorization: Bearer {example.key}' "
        f"-H 'Content-Type: application/json' -d {quote(body)}"
    )


class Front:
    """What is outside every mount."""

    def __init__(self, providers: tuple[Provider, ...], origins: Origins) -> None:
        self._providers = providers
        self._origins = origins

    def answer(self, request: BaseRequest) -> StreamResponse:
        """The index at `/`, as a page for browsers and as text for everyone else; elsewhere a 404 that lists it."""
        root = self._origins.root(request)
        if request.path != "/":
            return self._lost(request.path, root)
        if request.method not in ("GET", "HEAD"):
            return _json(405, "wrong_method", "The index takes GET alone.", Allow="GET, HEAD")
        if "text/html" in request.headers.get("Accept", ""):
            return Response(text=self._page(root), content_type="text/html")
        return Response(text=self._text(root), content_type="text/plain")

    def _lost(self, path: str, root: str) -> Response:
        mounts = {provider.name: base_url(provider, root) for provider in self._providers}
        message = f"Nothing is at {path[:200]}. Each provider is under its own prefix, as in `mounts`."
        body = {"error": {"code": "not_found", "message": message}, "mounts": mounts, "control": f"{root}/_mock/health"}
        return Response(body=to_json(body), status=404, content_type="application/json")

    def broken(self) -> Response:
        """The answer to what is no HTTP request."""
        return _json(400, "bad_request", "This is not a valid HTTP request.")

    def crashed(self) -> Response:
        """The answer when this server itself is at fault, outside the mounts."""
        return _json(500, "internal_error", "The mock server has a defect; its log says more.")

    def _text(self, root: str) -> str:
        lines = ["Image API mock server", ""]
        for provider in self._providers:
            lines += [f"{provider.title}: {base_url(provider, root)}", f"  {curl_line(provider, root)}", ""]
        return "\n".join([*lines, f"Control surface: {root}/_mock/health", ""])

    def _page(self, root: str) -> str:
        mounts = [
            _MOUNT.format(
                title=escape(provider.title),
                base=escape(base_url(provider, root)),
                host=provider.hosts[0],
                path=provider.base_path,
                curl=escape(curl_line(provider, root)),
                note=escape(provider.example.note),
            )
            for provider in self._providers
        ]
        return _PAGE.format(mounts="\n".join(mounts), root=escape(root))


def _json(status: int, code: str, message: str, **headers: str) -> Response:
    body = to_json({"error": {"code": code, "message": message}})
    return Response(body=body, status=status, headers={"Content-Type": "application/json", **headers})
