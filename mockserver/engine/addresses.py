"""Where a callback may go: the check that evolink documents, and the one that keeps callbacks on this machine.

Host names are not resolved here (EV-CB-5). The address that a connection uses is checked when its socket is made, which
is after every look-up (`outbound.py`).
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
_DOTTED_QUAD = re.compile(r"[0-9]+(\.[0-9]+){3}")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_GLOBAL = tuple(ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20"))
"""Of the IANA registries of special addresses what some Python releases call global: protocol assignments, the 6to4
relay, documentation."""
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_NOT_URL_TEXT = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
"""What RFC 3986 lets stand in no URL."""

LOOPBACKS: tuple[Address, ...] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
"""Where `localhost` and every `*.localhost` is connected to (RFC 6761), in this order."""


class BadTarget(ValueError):
    """A callback URL that is refused; the text says why."""


def literal_address(host: str) -> Address | None:
    """The IP address that a URL's host denotes without a look-up; None if it is a name.

    Knows the odd notations that resolvers still take (`127.1`, `0x7f.1`, `2130706433`, `0177.0.0.1`). The zone of an
    IPv6 address is left out. Raises BadTarget for a number that is no address.
    """
    text = host.strip("[]").partition("%")[0]
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        if not _NUMERIC.fullmatch(text):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(text))
        except (OSError, ValueError):
            raise BadTarget("its host is no valid address") from None


def known_addresses(host: str) -> tuple[Address, ...]:
    """The addresses to connect to for a host, where no look-up is needed: a literal's own, or those of `localhost`."""
    if is_local_name(host):
        return LOOPBACKS
    address = None if "%" in host else literal_address(host)
    return () if address is None else (address,)


def unmapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one (mapped, 6to4, Teredo, NAT64), or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        return inner or address
    return address


def is_loopback(address: Address) -> bool:
    """Whether an address is itself 127.0.0.0/8 or ::1; an IPv6 address that wraps one of these is not."""
    return address.is_loopback if isinstance(address, ipaddress.IPv4Address) else address == LOOPBACKS[1]


def is_public(address: Address) -> bool:
    """Whether an address is globally routable; multicast is not a place to POST to.

    Of IPv6 only global unicast (2000::/3) is: everything else is reserved, local, or IPv4 in another notation.
    """
    plain = unmapped(address)
    if isinstance(plain, ipaddress.IPv6Address) and plain not in _GLOBAL_UNICAST:
        return False
    if any(plain in network for network in _NOT_GLOBAL):
        return False
    return plain.is_global and not plain.is_multicast


def host_of(url: str) -> tuple[str, str]:
    """(scheme, host) of an absolute http or https URL, in lower case. Raises BadTarget saying what is wrong."""
    if _FORBIDDEN.search(url):
        raise BadTarget("it contains a space, a control character or a backslash")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadTarget("it is no valid URL") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise BadTarget("it must be an absolute http or https URL")
    if not host:
        raise BadTarget("it has no host")
    if port == 0:
        raise BadTarget("its port is 0")
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


def as_sent(url: str) -> str:
    """A URL as a request spells it: path and query as they are given, percent-encoded (UTF-8) where a character may
    stand in no URL; without the fragment."""
    origin, rest = split_origin(url)
    return origin + _NOT_URL_TEXT.sub(_percent_encoded, rest.partition("#")[0])


def split_origin(url: str) -> tuple[str, str]:
    """Scheme and authority of an absolute URL, and the rest: path, query and fragment, as they are spelt."""
    found = _ORIGIN.match(url)
    end = found.end() if found else 0
    return url[:end], url[end:]


def _percent_encoded(character: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in character[0].encode("utf-8", "surrogatepass"))


def check_any(url: str) -> None:
    """The check of a provider that documents none: an absolute http or https URL (XH-CB-3). Raises BadTarget."""
    _check_length(url)
    named_host(host_of(url)[1])


def _check_length(url: str) -> None:
    if len(url) > LONGEST_URL:
        raise BadTarget(f"it is longer than {LONGEST_URL} characters")


def check_public_https(url: str) -> None:
    """The check that evolink documents (EV-CB-1): https, not internal, at most 2048 characters. Raises BadTarget."""
    _check_length(url)
    scheme, host = host_of(url)
    if scheme != "https":
        raise BadTarget("only https is supported")
    name = named_host(host)
    address = literal_address(name)
    if is_local_name(name) or (address is not None and not is_public(address)):
        raise BadTarget("internal addresses are not allowed")
    if _DOTTED_QUAD.fullmatch(name) and not is_public(_read_as_decimal(name)):
        raise BadTarget("internal addresses are not allowed")


def _read_as_decimal(quad: str) -> Address:
    """A dotted quad read by a receiver that takes leading zeros for decimal: `0127.0.0.1` is 127.0.0.1 to it."""
    numbers = [int(part) & 0xFF for part in quad.split(".")]
    return ipaddress.IPv4Address(bytes(numbers))


def is_loopback_target(url: str) -> bool:
    """Whether a URL names this machine without a look-up: `localhost`, `*.localhost` or a loopback address."""
    try:
        known = known_addresses(named_host(host_of(url)[1]))
    except BadTarget:
        return False
    return bool(known) and all(map(is_loopback, known))
