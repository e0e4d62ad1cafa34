"""Cross-origin reads by browsers (CORS, Fetch standard, section 3.3), for the origins of `--cors-origin`."""

from collections.abc import Collection, Mapping

from aiohttp.web import BaseRequest

_EXPOSED = "x-request-id, Retry-After, Location, idempotency-replayed"
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_MAX_AGE = "600"


def allowed_origin(headers: Mapping[str, str], origins: Collection[str]) -> str:
    """The value of Access-Control-Allow-Origin for a request; "" if its page may not read the answer."""
    if "*" in origins:
        return "*"
    origin = headers.get("Origin", "")
    return origin if origin.lower() in origins else ""


def is_preflight(request: BaseRequest) -> bool:
    """Whether a request is a CORS preflight."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def preflight_headers(headers: Mapping[str, str], allowed: str) -> dict[str, str]:
    """The headers of the answer to a preflight: every method, and the headers that it requests."""
    found = {"Access-Control-Allow-Methods": _METHODS, "Access-Control-Max-Age": _MAX_AGE, **answer_headers(allowed)}
    asked = headers.get("Access-Control-Request-Headers", "")
    if asked and asked.isascii() and asked.isprintable():
        found["Access-Control-Allow-Headers"] = asked
    if headers.get("Access-Control-Request-Private-Network") == "true":
        found["Access-Control-Allow-Private-Network"] = "true"
    return found


def answer_headers(allowed: str) -> dict[str, str]:
    """The CORS headers of an answer, for the value of Access-Control-Allow-Origin."""
    found = {} if allowed == "*" else {"Vary": "Origin"}
    if allowed:
        found |= {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": _EXPOSED}
    return found
