"""Which addresses a callback may go to: the check that a provider documents, and the one that keeps tests at home.

Host names are not resolved here (EV-CB-5); the address that is really connected to is checked again, after resolving,
where the socket is made (`outbound.py`).
"""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 2048
"""Characters of a callback URL (evolink, "Security restrictions"); a ruling of ours for the others."""

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")


class BadTarget(ValueError):
    """A callback URL that is refused; the text says why."""


def literal_address(host: str) -> Address | None:
    """The IP address that a URL's host denotes without a look-up; None if it is a name.

    Knows the odd notations that resolvers still take (`127.1`, `0x7f.1`, `2130706433`, `0177.0.0.1`), IPv6 with a zone,
    and unpacks IPv4 addresses mapped into IPv6.
    """
    text = host.strip("[]").partition("%")[0]
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        if not _NUMERIC.fullmatch(text):
            return None
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(text))
        except (OSError, ValueError):
            raise BadTarget("its host is no valid address") from None
    return unmapped(address)


def unmapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64), or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        return inner or address
    return address


def is_public(address: Address) -> bool:
    """Whether an address is globally routable; multicast is not a place to POST to.

    Of IPv6 only global unicast (2000::/3) is: everything else is reserved, local, or IPv4 in another guise.
    """
    plain = unmapped(address)
    if isinstance(plain, ipaddress.IPv6Address) and (plain not in _GLOBAL_UNICAST or plain in _DOCUMENTATION):
        return False
    return plain.is_global and not plain.is_multicast


def host_of(url: str) -> tuple[str, str]:
    """(scheme, host) of an absolute http or https URL, in lower case. Raises BadTarget saying what is wrong."""
    if len(url) > LONGEST_URL:
        raise BadTarget(f"it is longer than {LONGEST_URL} characters")
    if _FORBIDDEN.search(url):
        raise BadTarget("it contains a space, a control character or a backslash")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadTarget("it is no valid URL") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise BadTarget("it must be an absolute http or https URL")
    if not host:
        raise BadTarget("it has no host")
    if "[" in parts.netloc and not _is_ipv6(host):
        raise BadTarget("its host is no valid address")
    return parts.scheme.lower(), host


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def named_host(host: str) -> str:
    """A host name in its comparable form: lower case, IDNA (full-width digits and dots folded), no trailing dot."""
    try:
        folded = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise BadTarget("its host is no valid name") from error
    name = folded.lower().removesuffix(".")
    if ":" not in name and not _NAME.fullmatch(name):
        raise BadTarget("its host is no valid name")
    return name


def is_local_name(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def check_any(url: str) -> None:
    """The check of a provider that documents none: an absolute http or https URL (XH-CB-3). Raises BadTarget."""
    named_host(host_of(url)[1])


def check_public_https(url: str) -> None:
    """The check that evolink documents (EV-CB-1): https, not internal, at most 2048 characters. Raises BadTarget."""
    scheme, host = host_of(url)
    if scheme != "https":
        raise BadTarget("only https is supported")
    name = named_host(host)
    address = literal_address(name)
    if is_local_name(name) or (address is not None and not is_public(address)):
        raise BadTarget("internal addresses are not allowed")


def is_loopback_target(url: str) -> bool:
    """Whether a URL names this machine without a look-up: `localhost`, `*.localhost` or a loopback address."""
    try:
        name = named_host(host_of(url)[1])
        address = literal_address(name)
    except BadTarget:
        return False
    return is_local_name(name) or (address is not None and address.is_loopback)
