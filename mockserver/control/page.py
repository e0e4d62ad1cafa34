"""The live page at /_mock/: static files of this package, which call nothing but the control surface."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from aiohttp.web import Response

from mockserver.control.control_request import ControlRequest

FOLDER = Path(__file__).parent / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def files() -> dict[str, str]:
    """The path under /_mock/ of every file of the page, and its name; the page itself is at ""."""
    return {"": "index.html", **{path.name: path.name for path in FOLDER.iterdir() if path.name != "index.html"}}


@cache
def _content(name: str) -> tuple[bytes, str]:
    """A file's bytes and its ETag."""
    data = (FOLDER / name).read_bytes()
    return data, f'"{sha256(data).hexdigest()[:16]}"'


async def serve(request: ControlRequest) -> Response:
    """A file of the page."""
    name = files()[request.http_request.path.removeprefix("/_mock/")]
    data, tag = _content(name)
    headers = {**HEADERS, "ETag": tag}
    if request.http_request.headers.get("If-None-Match") == tag:
        return Response(status=304, headers=headers)
    kind = TYPES[Path(name).suffix]
    return Response(body=data, headers={**headers, "Content-Type": f"{kind}; charset=utf-8"})
