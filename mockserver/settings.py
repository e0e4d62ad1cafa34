"""All settings with default and meaning. The command line, environment variables and a TOML file set them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

MEGABYTE = 1024 * 1024


def setting(meaning: str, default: Any = None, **more: Any) -> Any:
    """A field of Settings with its meaning, which `--help` prints.

    With `flag=False` a setting has no flag and can only be set in a TOML file or in Python. In `--help`, `metavar`
    names its value, `group` is its heading and `shown` replaces its default. A number is between `least` and `most`.
    """
    metadata = {"meaning": meaning, "flag": True, "metavar": "TEXT", "group": None, "shown": None, **more}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def _kept(meaning: str, default: int) -> Any:
    """A setting that limits how many records of a kind are kept."""
    return setting(meaning, default, metavar="COUNT", group="Bounds", least=1, most=10**8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one server. `create_app` checks texts where it uses them, and raises ValueError."""

    host: str = setting("Address to listen on.", "127.0.0.1", metavar="ADDRESS", group="Server")
    port: int = setting(
        "Port to listen on; 0 picks a free one and prints it.",
        8080,
        metavar="PORT",
        group="Server",
        least=0,
        most=65535,
    )
    latency: str = setting(
        "How long a generation takes: instant, quick (0.3–1.5 s), documented, or MIN-MAX in seconds.",
        "quick",
        metavar="PROFILE",
        group="Generations",
    )
    clock: Literal["real", "virtual"] = setting(
        "real, or virtual: time passes only when it is advanced.", "real", group="Generations"
    )
    autojump: bool = setting(
        "autojump = true: under a virtual clock, a waiting call advances the clock to its own due time.",
        False,
        flag=False,
    )
    seed: str | None = setting(
        "Same seed and same calls: same ids, durations and pictures.", group="Generations", shown="a new one each time"
    )
    api_keys: tuple[str, ...] = setting(
        "A valid API key (repeatable); without it any well-formed key is valid.",
        (),
        metavar="KEY",
        group="Accounts",
        shown="any",
    )
    balance: Decimal = setting(
        "Opening balance of a new account, in the provider's unit.",
        Decimal(1000),
        metavar="AMOUNT",
        group="Accounts",
        least=0,
        most=10**12,
    )
    pixels: Literal["documented", "exact"] = setting(
        "documented: xhuoapi's gpt-image-2 returns 1254x1254 for 1024x1024 and similar sizes, as the service does; "
        "exact: every picture has the requested size.",
        "documented",
        group="Generations",
    )
    store_sync_tasks: bool = setting(
        "xhuoapi: the tasks endpoint returns synchronous calls too, not only those with callback_url or async.",
        False,
        group="Generations",
    )
    callback_routes: tuple[str, ...] = setting(
        "Deliver callbacks for FROM to TO instead (repeatable): https://app.example.com=http://127.0.0.1:9000.",
        (),
        metavar="FROM=TO",
        group="Callbacks",
    )
    callback_to: int | None = setting(
        "Deliver every callback that no route matches to http://127.0.0.1:PORT, with its path and query.",
        metavar="PORT",
        group="Callbacks",
        least=1,
        most=65535,
    )
    callback_egress: bool = setting(
        "Send callbacks to other machines too. Off: they are recorded and not sent.", False, group="Callbacks"
    )
    public_url: str | None = setting(
        "URL at which clients reach this server, behind a proxy or in a container.",
        metavar="URL",
        group="Server",
    )
    proxy_port: int | None = setting(
        "Open a proxy on this port that directs the documented https hosts here; needs the extra [intercept].",
        metavar="PORT",
        group="Server",
        shown="none",
        least=0,
        most=65535,
    )
    allow_hosts: tuple[str, ...] = setting(
        "Another host to which the proxy forwards (repeatable); * for every host.",
        (),
        metavar="HOST",
        group="Server",
    )
    allowed_hosts: tuple[str, ...] = setting(
        "Another Host for which the control surface answers (repeatable).", (), metavar="HOST", group="Server"
    )
    control_token: str | None = setting(
        "Calls to the control surface must send it as Authorization: Bearer TOKEN. Without a token, a server that "
        "other machines can reach accepts control calls from this machine only.",
        metavar="TOKEN",
        group="Server",
    )
    trust_proxy: bool = setting(
        "Use X-Forwarded-Proto and X-Forwarded-Host: for a server behind a proxy that sets them.",
        False,
        group="Server",
    )
    cors_origins: tuple[str, ...] = setting(
        "An origin whose pages may call the providers (repeatable), as in http://localhost:5173; * for any.",
        (),
        metavar="ORIGIN",
        group="Server",
        shown="none",
    )
    tls_cert: str | None = setting("Certificate chain (PEM) to serve https with.", metavar="FILE", group="Server")
    tls_key: str | None = setting("Private key (PEM) of the certificate.", metavar="FILE", group="Server")
    max_body: int = setting(
        "Largest request body, in bytes or as a text such as 64MB.",
        32 * MEGABYTE,
        metavar="SIZE",
        group="Server",
        shown="32MB",
        least=1,
    )
    max_snapshot: int = setting(
        "Largest snapshot in bytes that is restored; text such as 2GB will do.",
        1024 * MEGABYTE,
        metavar="SIZE",
        group="Server",
        shown="1GB",
        least=1,
    )
    body_timeout: Decimal = setting(
        "How long a request's body may pause; after that time without a byte the answer is 408.",
        Decimal(30),
        metavar="SECONDS",
        group="Server",
        least=0,
        most=86_400,
    )
    store: str = setting(
        "Where everything is kept: memory; sqlite:///FILE, which survives restarts; or redis://HOST (valkey:// is the "
        "same), for several hosts; needs the extra [redis].",
        "memory",
        metavar="URL",
        group="Server",
    )
    workers: int = setting(
        "How many processes serve on the port; more than one needs a --store that they share.",
        1,
        metavar="COUNT",
        group="Server",
        least=1,
        most=64,
    )
    keep_tasks: int = _kept(
        "How many ended generations are kept, and how many may be under way; beyond that, a submission is a 503.",
        100_000,
    )
    keep_requests: int = _kept("How many requests are kept in the journal.", 5_000)
    keep_callbacks: int = _kept("How many ended callbacks are kept.", 20_000)
    keep_accounts: int = _kept("How many accounts are kept; those that hold money are kept beyond that.", 20_000)
    log_format: Literal["text", "json"] = setting("Format of the log lines.", "text", group="Output")
    quiet: bool = setting("Write no log lines for requests and callbacks.", False, group="Output")
    scenarios: tuple[str, ...] = setting(
        "A scenario (repeatable): a name that mockserver scenarios lists, or a TOML file.",
        (),
        metavar="NAME|FILE",
        group="Scenarios",
        shown="none",
    )
    watch: bool = setting(
        "Read the scenario files again when they change; needs the extra [watch].", False, group="Scenarios"
    )
    prices: Mapping[str, Mapping[str, str]] = setting(
        "[prices.PROVIDER]: prices in place of the documented ones, as in high = 0.50.", {}, flag=False
    )
    latencies: Mapping[str, Mapping[str, tuple[float, float]]] = setting(
        "[latencies.PROVIDER]: durations in place of the documented ones, in seconds, as in image = [20, 40].",
        {},
        flag=False,
    )
