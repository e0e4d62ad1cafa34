"""The addresses of this server as a client sees them: the base of the URLs in answers, and who may call `/_mock/`."""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aiohttp.web import BaseRequest

from mockserver.settings import Settings

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,30})\.?(?::([0-9]{1,5}))?")


_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded")


@lru_cache(maxsize=1024)
def host_name(host: str) -> str:
    """The name in a `Host` header: in lower case, without its port and a final dot; "" if it is malformed."""
    match = _HOST.fullmatch(host)
    return match[1].strip("[]").lower() if match and int(match[2] or 0) <= 65535 else ""


def authority(request: BaseRequest, trust_proxy: bool = False) -> str:
    """The host and port that a request is for: from an absolute target (RFC 9112, 3.2.2), otherwise from `Host`.

    With `trust_proxy`, X-Forwarded-Host takes precedence.
    """
    if trust_proxy and (forwarded := first_value(request.headers.get("X-Forwarded-Host", ""))):
        return forwarded
    target = request.raw_path
    if not target.startswith("/") and "://" in target[:8]:
        return target.partition("://")[2].partition("/")[0].partition("?")[0]
    return request.headers.get("Host", "")


def first_value(header: str) -> str:
    """The first value of a comma-separated header: the one that the proxy nearest to the client has set."""
    return header.partition(",")[0].strip()


@lru_cache(maxsize=1024)
def joined(root: str, name: str) -> str:
    """The base URL of a provider under a root URL. Cached, so that all tasks share one string."""
    return f"{root}/{name}"


@lru_cache(maxsize=64)
def documented_base(host: str) -> str:
    """The base URL of a provider for a client that connected to a documented https host: no port, no prefix."""
    return f"https://{host_name(host)}"


def is_documented_base(base: str) -> bool:
    """Whether a base URL is that of a documented host: every other base URL ends with the provider's prefix."""
    return base.startswith("https://") and "/" not in base.removeprefix("https://")


def is_loopback(name: str) -> bool:
    """Whether a host name is a loopback address or a name that always resolves to one."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class PublicUrls:
    """The base of the URLs in answers: the address that the client used, so that the client can reach it.

    A client that used a documented host name (by a hosts file, a proxy or a `Host` header) gets URLs with the address
    and port of its connection, since a URL with the real host's name could reach the real service. Only a client whose
    connections are intercepted gets URLs with the documented host.
    """

    def __init__(self, settings: Settings, documented: frozenset[str]) -> None:
        self._trust_proxy = settings.trust_proxy
        self._public = settings.public_url.rstrip("/") if settings.public_url else None
        self._documented = documented
        self.proxy: Mapping[str, Any] | None = None
        """The port, hosts and certificates of this server's proxy; None without one."""

        self._fallback = f"{settings.host}:{settings.port}"
        names = {settings.host, *settings.allowed_hosts, *([self._public.split("//", 1)[-1]] if self._public else ())}
        self._control_hosts = {host_name(name.partition("/")[0]) or name.lower() for name in names}

    def base(self, request: BaseRequest, host: str, name: str) -> str:
        """The base URL of a provider as the client sees it; documented paths are appended to it."""
        if getattr(request.protocol, "intercepted", False) and host_name(host) in self._documented:
            return documented_base(host)
        return joined(self.root(request, host), name)

    def root(self, request: BaseRequest, host: str | None = None) -> str:
        """scheme://authority of this server as the client sees it; `host` is the request's authority, if known."""
        if self._public:
            return self._public
        host = self.authority(request) if host is None else host
        name = host_name(host)
        place = host if name and name not in self._documented else self._socket(request)
        return f"{self._scheme(request)}://{place}"

    def authority(self, request: BaseRequest) -> str:
        """The host and port that a request is for."""
        if self._trust_proxy or request.raw_path[:1] != "/":
            return authority(request, self._trust_proxy)
        return request.headers.get("Host", "")

    def _scheme(self, request: BaseRequest) -> str:
        if self._trust_proxy:
            scheme = first_value(request.headers.get("X-Forwarded-Proto", "")).lower()
            if scheme in ("http", "https"):
                return scheme
        return request.scheme

    def socket_url(self, request: BaseRequest) -> str:
        """scheme://authority of the address that the request's connection came to."""
        return f"{request.scheme}://{self._socket(request)}"

    def _socket(self, request: BaseRequest) -> str:
        transport = request.transport
        name = transport.get_extra_info("sockname") if transport else None
        if not isinstance(name, tuple):
            return self._fallback
        host, port = name[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def allows_control(self, request: BaseRequest) -> bool:
        """Whether the control surface answers: the `Host` is loopback, the bind address, or named by a setting.

        A page that reaches this server by a name of its own (DNS rebinding) is kept out.
        """
        name = host_name(self.authority(request))
        return bool(name) and (is_loopback(name) or name in self._control_hosts)

    def is_local(self, request: BaseRequest) -> bool:
        """Whether a request comes from this machine. One that a trusted proxy has forwarded counts as remote."""
        if self._trust_proxy and any(name in request.headers for name in _FORWARDED):
            return False
        peer = request.transport.get_extra_info("peername") if request.transport else None
        if not isinstance(peer, tuple):
            return True  # a Unix socket, or a client that has disconnected
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address).is_loopback
