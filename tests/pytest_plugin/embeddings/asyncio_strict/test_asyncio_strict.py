"""pytest-asyncio in strict mode; the receiver of the callback lives in the test's own loop."""

import asyncio
import json

import httpx
import pytest

from mockserver.client import AsyncMockClient
from mockserver.pytest_plugin import MockProviders


async def submit(mock: MockProviders | AsyncMockClient, callback_url: str | None = None) -> str:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {mock.api_key}"}) as http:
        body = {"model": "gpt-image-2", "prompt": "x", "callback_url": callback_url}
        url = f"{mock.xhuoapi.base_url}/v1/openai/images/generations"
        return str((await http.post(url, json=body)).json()["task_id"])


@pytest.mark.asyncio
async def test_a_receiver_in_this_loop(mock_providers: MockProviders) -> None:
    heard: list[dict[str, object]] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        heard.append(json.loads(await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    receiver = await asyncio.start_server(receive, "127.0.0.1", 0)
    port = receiver.sockets[0].getsockname()[1]
    async with receiver, mock_providers.aio() as mock:
        task_id = await submit(mock, f"http://127.0.0.1:{port}/hook")
        callback = await mock.callbacks.wait_delivered(task_id)
        await mock.assert_delivered(task_id)
        await mock.assert_requested("xhuoapi", times=1)
    assert callback.state == "delivered"
    assert [body["task_id"] for body in heard] == [task_id]


@pytest.mark.asyncio
async def test_the_blocking_handle_will_do_too(mock_providers: MockProviders) -> None:
    await submit(mock_providers)
    mock_providers.assert_requested("xhuoapi", times=1)
