"""Which server a store's URL means, under which keys, and why it can't be reached."""

from dataclasses import dataclass, field
from re import fullmatch, match
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError, ResponseError
from redis.exceptions import TimeoutError as NoAnswer

from mockserver.engine.problems import StoreUnavailable

CONNECT_SECONDS = 3.0
"""Real seconds within which a connection must be there, and each answer of its beginning."""

PREFIX = "mock"
_SCHEMES = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss", "unix": "unix"}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a store lies: `root` is the key that all its keys begin with; `name` is for messages, without a password.

    The braces in `root` put all keys into one slot of a cluster.
    """

    name: str
    root: str
    kind: type[AbstractConnection]
    options: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> "Server":
        """A server from its URL: redis://, rediss:// (TLS), valkey://, valkeys:// or unix://, with `?prefix=`.

        Raises:
            ValueError: the URL is none of these; the text says why, without its password.
        """
        parts = urlsplit(url)
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None:
            raise ValueError(f"{parts.scheme}: is no scheme of Redis or Valkey: redis, rediss, valkey, valkeys or unix")
        asked = parse_qsl(parts.query, keep_blank_values=True)
        prefix = dict(asked).get("prefix", PREFIX)
        if not fullmatch(r"[A-Za-z0-9._:-]{1,64}", prefix):
            raise ValueError("the store's prefix is up to 64 letters, digits, dots, colons and dashes")
        rest = urlencode([(name, value) for name, value in asked if name != "prefix"])
        try:
            options: dict[str, Any] = dict(parse_url(urlunsplit((scheme, *parts[1:3], rest, ""))))
        except ValueError as error:
            raise ValueError(f"the store's URL can't be read: {error}") from error
        kind = options.pop("connection_class", Connection)
        place = parts.path if scheme == "unix" else parts.netloc.rpartition("@")[2] + parts.path
        server = cls(f"{parts.scheme}://{place}", f"{{{prefix}}}", kind, options)
        server.connection()  # an unknown option shows here
        return server

    def connection(self, **other: Any) -> AbstractConnection:
        """A connection that is not connected yet; `other` options go before the URL's."""
        options: dict[str, Any] = {
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": CONNECT_SECONDS,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "client_name": "mockserver",
            **self.options,
            **other,
        }
        if self.kind is Connection:
            options.setdefault("socket_keepalive", True)
        try:
            return self.kind(**options)
        except TypeError as error:
            raise ValueError(f"the store's URL has an option that is not known: {error}") from error

    def unavailable(self, why: str) -> StoreUnavailable:
        return StoreUnavailable(f"the store {self.name} {why}")

    def unfit(self, told: str) -> str:
        """What may become of a store on the server that `told` (lines of INFO) describes; "" if all is well.

        Raises:
            StoreUnavailable: the server is too old.
        """
        fields = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
        if match(r"([1-5]|6\.[01])\.", version := fields.get("redis_version", "")):
            raise self.unavailable(f"is Redis {version}: 6.2 or later is needed")
        policy = fields.get("maxmemory_policy", "noeviction")
        if policy == "noeviction" or fields.get("maxmemory", "0") == "0":
            return ""
        return f"the store {self.name} forgets records when it is full ({policy}): set maxmemory-policy noeviction"

    def away(self, error: BaseException) -> StoreUnavailable:
        """What a failure to connect means."""
        if isinstance(error, AuthenticationError):
            refuses = _MEANINGS["WRONGPASS" if "password" in self.options else "NOAUTH"]
            return self.unavailable(f"{refuses} ({error})")
        if isinstance(error, BusyLoadingError):
            return self.unavailable(_MEANINGS["LOADING"])
        if isinstance(error, ResponseError):
            return self.refused(str(error))
        if isinstance(error, TimeoutError | NoAnswer):
            return self.unavailable("is away: it does not answer")
        reason = error if isinstance(error, OSError | RedisError) else repr(error)
        return self.unavailable(f"is away: {str(reason).rstrip('.')}")

    def refused(self, answer: str) -> StoreUnavailable:
        """What an error means that the server answers with."""
        code = answer.partition(" ")[0]
        means = _MEANINGS.get(code)
        return self.unavailable(f"{means} ({answer})" if means else f"refuses: {answer}")


_MEANINGS = {
    "OOM": "is full: its memory is used up",
    "MISCONF": "can't write to its disk",
    "NOAUTH": "asks for a password",
    "WRONGPASS": "refuses the user name or password",
    "NOPERM": "does not allow what this server needs",
    "LOADING": "is not ready: it is reading its data",
    "READONLY": "can't be written to: it is a replica",
    "MASTERDOWN": "is away: it is a replica without its primary",
    "CLUSTERDOWN": "is away: its cluster is down",
    "MOVED": "is not the node of the cluster that has the keys",
    "BUSY": "is busy with a script",
    "LOST": "has lost what it was given meanwhile",
    "WRONGTYPE": "has other keys under this prefix; give it another one (?prefix=)",
}
"""What the first word of an error says, as the end of a sentence."""

TRANSIENT = frozenset({"READONLY", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "UNBLOCKED"})
"""Errors after which another connection may lead to another server."""
