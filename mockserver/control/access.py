"""Who may call the control surface: by token, by address, by `Host`, and no page of another site."""

from dataclasses import dataclass
from hmac import compare_digest

from aiohttp.web import BaseRequest, Response

from mockserver.control.control_request import Refusal
from mockserver.http.public_urls import PublicUrls

_READING = ("GET", "HEAD")
PAGE = "/_mock/"
COOKIE = "mock_control_token"


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server. `loopback_only`: it listens where no other machine can reach it."""

    public_urls: PublicUrls
    token: str | None
    loopback_only: bool

    def log_in(self, request: BaseRequest) -> Response | None:
        """The answer to `/_mock/?token=TOKEN`: a browser can't send a header for a page, so it gets a cookie.

        None for any other request, and for a wrong token.
        """
        given = request.query.get("token", "") if request.path == PAGE else ""
        if self.token is None or not self._is_token(given):
            return None
        response = Response(status=303, headers={"Location": PAGE, "Cache-Control": "no-store"})
        response.set_cookie(COOKIE, given, path=PAGE, httponly=True, samesite="Strict")
        return response

    def _is_token(self, given: str) -> bool:
        wanted = (self.token or "").encode()
        return compare_digest(given.encode("utf-8", "surrogatepass"), wanted)

    def check(self, request: BaseRequest) -> None:
        """Let a call pass. Raises Refusal: 401, 403 or 421."""
        if self.token is not None:
            if not self._is_token(_sent_token(request)):
                raise Refusal(401, "unauthorized", _UNAUTHORIZED)
        elif not self.loopback_only and not self.public_urls.is_local(request):
            raise Refusal(403, "not_local", _NOT_LOCAL)
        elif not self.public_urls.allows_control(request):
            raise Refusal(421, "wrong_host", _WRONG_HOST)
        if request.method not in _READING and _cross_site(request):
            raise Refusal(403, "cross_site", "A page of another site may not steer this server.")


def _sent_token(request: BaseRequest) -> str:
    """The token of the Authorization header, or of the cookie that `log_in` has set."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")


def _cross_site(request: BaseRequest) -> bool:
    """Whether a browser says that the call comes from another site's page."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin.partition("://")[2].lower() != request.headers.get("Host", "").lower()
    return foreign or site not in ("none", "same-origin")


_UNAUTHORIZED = "This server has a --control-token: send it as Authorization: Bearer TOKEN."
_NOT_LOCAL = (
    "The control surface of this server answers calls from its own machine alone. To steer it from elsewhere, start it "
    "with --control-token TOKEN and send Authorization: Bearer TOKEN."
)
_WRONG_HOST = (
    "The control surface answers to this machine's own names alone: use localhost, 127.0.0.1, the address that it "
    "listens on or the host of --public-url, or start the server with --allowed-host NAME."
)
