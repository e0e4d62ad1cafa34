"""A recorded request in the form in which it is sent again, and the refusal of one that can't be."""

from urllib.parse import urlsplit

from yarl import URL

from mockserver.control.control_request import Refusal
from mockserver.engine.journal import REDACTED, Exchange, safe_headers

_NOT_RESENT = frozenset({"host", "content-length", "connection", "transfer-encoding", "expect", "accept-encoding"})


def check_resendable(exchange: Exchange) -> None:
    """Raises Refusal (409) for a request that was not recorded whole, or is for no path."""
    if exchange.method == "CONNECT":
        raise _not_resendable("A CONNECT opens a connection: it is not sent again.")
    if not exchange.headers or not exchange.path.isascii():
        raise _not_resendable("It was no valid HTTP, and is not sent again.")
    if not exchange.path.startswith("/") and not _authority(exchange):
        raise _not_resendable("Only a request for a path is sent again.")
    multipart = "multipart" in _header(exchange, "Content-Type")
    if len(exchange.body) != exchange.body_size or multipart:
        raise Refusal(409, "body_not_kept", "Only requests whose whole body was recorded are sent again.")


def url_of(exchange: Exchange, root: str) -> URL:
    """Where it is sent, at this server: the recorded path as it was spelt, which yarl would otherwise rewrite."""
    authority, base = _authority(exchange), URL(root)
    path = exchange.path.partition(authority)[2] or "/" if authority else exchange.path
    return URL.build(scheme=base.scheme, host=base.host or "", port=base.port, path=path, encoded=True)


def headers_of(exchange: Exchange, key: str) -> dict[str, str]:
    """The recorded headers; those that were secret are left out, except the API key, if it is still known.

    The host, which may be what names the provider, is kept; that of the target counts, if the target has one.
    """
    kept = {name: value for name, value in exchange.headers.items() if name.lower() not in _NOT_RESENT}
    secret = {name for name, value in safe_headers(kept).items() if value == REDACTED}
    headers = {name: value for name, value in kept.items() if name not in secret and value.isascii()}
    host = _authority(exchange) or _header(exchange, "Host")
    if host and host.isascii():
        headers["Host"] = host
    return {**headers, "Authorization": f"Bearer {key}"} if key else headers


def _not_resendable(sentence: str) -> Refusal:
    return Refusal(409, "not_resendable", sentence)


def _authority(exchange: Exchange) -> str:
    """Host and port of a target in absolute form, as in `GET http://api.evolink.ai/v1/tasks/x`; "" if it has none."""
    if exchange.path.startswith("/"):
        return ""
    try:
        return urlsplit(exchange.path).netloc
    except ValueError:
        return ""


def _header(exchange: Exchange, name: str) -> str:
    return next((value for given, value in exchange.headers.items() if given.lower() == name.lower()), "")
