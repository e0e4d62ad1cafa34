"""The tables of `mockserver prices` and `mockserver providers`."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.table import Table

from mockserver.app import App
from mockserver.http.context import Mount
from mockserver.providers.base import Provider


def prices(app: App) -> tuple[Table, ...]:
    """The price of each call, and its duration under `--latency documented`; changed values are marked."""
    costs = _table("Prices", "provider", "name", "price", "unit", "", right="price")
    times = _table("Durations under --latency documented", "provider", "name", "seconds", "", right="seconds")
    for provider in app.providers:
        mount = app.mounts[provider.name]
        _rows(costs, provider.name, _costs(provider, mount))
        _rows(times, provider.name, _times(provider, mount))
    return costs, times


def providers(app: App) -> tuple[Table, ...]:
    """Each provider's documented hosts, base URL on this server, models and endpoints."""
    services = _table("Providers", "provider", "documented host", "base URL here", "for OpenAI clients", "models")
    title = "Endpoints (paid: needs a key and may be charged; key: needs a key; open: needs none)"
    endpoints = _table(title, "provider", "method", "path", "")
    for provider in app.providers:
        mount = f"/{provider.name}"
        openai = mount + provider.openai_path if provider.openai_path else "—"
        pictures = set(provider.picture_hosts.values())
        hosts = "\n".join(host for host in provider.hosts if host not in pictures)
        models = "\n".join(provider.models)
        services.add_row(provider.name, hosts, mount + provider.base_path, openai, models)
        services.add_section()
        marks = {(True, True): "paid", (True, False): "key"}
        rows = [
            (route.method, mount + route.path, marks.get((route.keyed, route.billable), "open"))
            for route in provider.routes
        ]
        _rows(endpoints, provider.name, rows)
    return services, endpoints


def _costs(provider: Provider, mount: Mount) -> Iterable[tuple[str, ...]]:
    unit = provider.currency
    for name, price in mount.prices.items():
        documented = unit.minor(provider.prices[name])
        yield name, unit.text(price), unit.code, _remark(unit.text(documented), price != documented)


def _times(provider: Provider, mount: Mount) -> Iterable[tuple[str, ...]]:
    for name, span in mount.latencies.items():
        documented = provider.latencies[name]
        yield name, _span(span), _remark(_span(documented), span != documented)


def _span(span: tuple[float, float]) -> str:
    return f"{span[0]:g}–{span[1]:g}"


def _remark(documented: str, differs: bool) -> str:
    return f"changed; documented {documented}" if differs else ""


def _table(title: str, *columns: str, right: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column == right else "left", overflow="fold")
    return table


def _rows(table: Table, name: str, rows: Iterable[tuple[str, ...]]) -> None:
    """Add the rows of one provider; only the first has its name."""
    for number, row in enumerate(rows):
        table.add_row("" if number else name, *row)
    table.add_section()
