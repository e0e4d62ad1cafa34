"""What the live page needs beside queries and actions: descriptions, thumbnails, sending a request again."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from inspect import cleandoc
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from aiohttp.web import Response

from mockserver.advice.base import advice_for, rules
from mockserver.advice.records import Records, read_records
from mockserver.control.control_request import ControlRequest, Refusal, bad
from mockserver.control.queries import accounts_of, known
from mockserver.control.resending import check_resendable, headers_of, url_of
from mockserver.engine.engine import Engine
from mockserver.faults.base import kinds
from mockserver.http.public_urls import PublicUrls
from mockserver.providers.base import Provider
from mockserver.providers.pictures import picture

WIDEST = 4_096
RESEND_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Live:
    """Handlers of control calls."""

    engine: Engine
    providers: Sequence[Provider]
    public_urls: PublicUrls

    async def list_providers(self, request: ControlRequest) -> dict[str, Any]:
        """Every provider: where it is, what it takes, and a curl command that works against it."""
        root = self.public_urls.root(request.http_request)
        return {
            "providers": [
                {
                    "name": provider.name,
                    "title": provider.title,
                    "base_url": provider.base_url(root),
                    "hosts": list(provider.hosts),
                    "currency": provider.currency.code,
                    "models": list(provider.models),
                    "routes": [f"{route.method} {route.path}" for route in provider.routes],
                    "failure_codes": sorted({refusal.code for refusal in provider.failures.values()}),
                    "curl": provider.curl_line(root),
                }
                for provider in self.providers
            ]
        }

    async def fault_kinds(self, request: ControlRequest) -> dict[str, Any]:
        """Every kind of fault: its parameters as JSON schema, and what it does."""
        return {"kinds": _fault_kinds()}

    async def advice(self, request: ControlRequest) -> dict[str, Any]:
        """What the clients did that would hurt in production, of some keys alone with `api_key`; and every rule."""
        accounts = accounts_of(request)
        records = await read_records(self.engine, self.providers)
        return await asyncio.to_thread(_advice, records, accounts)  # over much, the rules take a while

    async def show_picture(self, request: ControlRequest) -> Response:
        """A completed task's picture, `?width=` pixels wide at most: a thumbnail is drawn small, not scaled down."""
        task = known(await self.engine.store.task(request.params["id"]), "task")
        index, width = request.params["index"], request.query("width")
        if not (index.isascii() and index.isdigit() and len(index) <= 4 and int(index) < task.job.count):
            raise Refusal(404, "not_found", f"This task has {task.job.count} pictures, numbered from 0.")
        if task.failure or not task.ended_at(self.engine.now()):
            raise Refusal(404, "not_found", "This task has no picture: it has not completed.")
        pixels = _width(width)
        data = await asyncio.to_thread(picture, task, int(index), pixels)
        kind = task.job.format if pixels is None else "png"
        headers = {"Content-Type": f"image/{kind}", "Cache-Control": "private, max-age=3600"}
        return Response(body=data, headers=headers)

    async def resend(self, request: ControlRequest) -> dict[str, Any]:
        """Send a recorded request again, with its key if that is still known; the answer's status and id."""
        exchange = known(await self.engine.store.entry(request.params["id"]), "request")
        check_resendable(exchange)
        key = self.engine.known_keys.key_of(exchange.account) if exchange.account else ""
        url, headers = url_of(exchange, self.public_urls.socket_url(request.http_request)), headers_of(exchange, key)
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=RESEND_SECONDS), auto_decompress=False) as session,
                session.request(
                    exchange.method, url, data=exchange.body, headers=headers, ssl=False, allow_redirects=False
                ) as answer,
            ):
                await answer.read()
                return {"status": answer.status, "id": answer.headers.get("x-request-id")}
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            raise Refusal(502, "not_sent", f"The request could not be sent again: {type(error).__name__}.") from None


def _advice(records: Records, accounts: frozenset[str] | None) -> dict[str, Any]:
    found = advice_for(records)
    shown = [asdict(advice) for advice in found if accounts is None or advice.account in accounts]
    return {"advice": shown, "rules": {rule.name: rule.title for rule in rules()}}


def _width(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 0 < int(text) <= WIDEST):
        raise bad(f"width is a whole number from 1 to {WIDEST}.")
    return int(text)


@cache
def _fault_kinds() -> list[dict[str, Any]]:
    described = []
    for name, kind in sorted(kinds().items()):
        schema = kind.model_json_schema()
        parameters = {field: value for field, value in schema["properties"].items() if field != "type"}
        text = " ".join(cleandoc(kind.__doc__ or "").split())
        required = [field for field in schema.get("required", []) if field != "type"]
        described.append(
            {"type": name, "stage": kind.stage, "description": text, "parameters": parameters, "required": required}
        )
    return described
