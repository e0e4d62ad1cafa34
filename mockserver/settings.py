"""Every setting, once: name, default and meaning. The command line, the environment and a TOML file all fill this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

MEGABYTE = 1024 * 1024


def setting(meaning: str, default: Any = None, **more: Any) -> Any:
    """A field of Settings with its meaning, which `--help` and the documentation print.

    `flag=False` keeps a setting out of the command line (a TOML file may still give it); `metavar` names its value.
    """
    metadata = {"meaning": meaning, "flag": True, "metavar": None, **more}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is told. Text is checked where it is used: `create_app` raises ValueError with a clear sentence."""

    host: str = setting("Address to listen on.", "127.0.0.1")
    port: int = setting("Port to listen on; 0 picks a free one and prints it.", 8080)
    latency: str = setting(
        "How long a generation takes: instant, quick (0.3–1.5 s), documented, or MIN-MAX in seconds.", "quick"
    )
    clock: Literal["real", "virtual"] = setting("real, or virtual: time passes only when it is advanced.", "real")
    seed: str | None = setting("Same seed and same calls: same ids, durations and pictures.")
    api_keys: tuple[str, ...] = setting("A valid API key (repeatable); without it any well-formed key is valid.", ())
    balance: Decimal = setting("Opening balance of a new account, in the provider's unit.", Decimal(1000))
    pixels: Literal["documented", "exact"] = setting(
        "documented: xhuoapi's gpt-image-2 returns 1254x1254 for 1024x1024 and the like, as the service does; "
        "exact: every picture has the size asked for.",
        "documented",
    )
    callback_routes: tuple[str, ...] = setting(
        "Deliver callbacks for FROM to TO instead (repeatable): https://app.example.com=http://127.0.0.1:9000.",
        (),
        metavar="FROM=TO",
    )
    callback_egress: bool = setting(
        "Let callbacks leave this machine. Off: they are captured, readable, unsent.", False
    )
    public_url: str | None = setting("Address under which clients reach this server, behind a proxy or in a container.")
    allowed_hosts: tuple[str, ...] = setting("Another Host that may use the control surface (repeatable).", ())
    tls_cert: str | None = setting("Certificate chain (PEM) to serve https with.")
    tls_key: str | None = setting("Private key (PEM) of the certificate.")
    max_body: int = setting("Largest request body in bytes.", 32 * MEGABYTE)
    log_format: Literal["text", "json"] = setting("How request lines are written.", "text")
    quiet: bool = setting("Write no request lines.", False)
    prices: Mapping[str, Mapping[str, str]] = setting(
        "Prices that differ from the documents: [prices.PROVIDER] tables in the TOML file.", {}, flag=False
    )
    latencies: Mapping[str, Mapping[str, tuple[float, float]]] = setting(
        "Documented durations that differ: [latencies.PROVIDER] tables in the TOML file.", {}, flag=False
    )
