"""The real services are out of reach, by an ini option and whatever the client."""

import asyncio
import socket
import ssl
from collections.abc import Callable

import aiohttp
import httpx
import openai
import pytest
import requests
import trio

from mockserver.pytest_plugin import MockProviders, RealHostBlocked

HOSTS = ["api.evolink.ai", "api.xhuoapi.ai", "platform.cdn.xhuoapi.ai", "jp.icodeeasy.cc", "api.icodeeasy.cc"]


def by_openai(host: str) -> None:
    with openai.OpenAI(base_url=f"https://{host}/v1", api_key="x") as client:
        client.images.generate(prompt="x")


def by_aiohttp(host: str) -> None:
    async def get() -> None:
        async with aiohttp.ClientSession() as session:
            await session.get(f"https://{host}/v1/credits")

    asyncio.run(get())


def by_asyncio(host: str) -> None:
    asyncio.run(asyncio.wait_for(asyncio.open_connection(host, 443), 5))


def by_trio(host: str) -> None:
    trio.run(trio.open_tcp_stream, host, 443)


def by_tls(host: str) -> None:
    """As through a proxy: the name first appears when TLS begins."""
    ours, _ = socket.socketpair()
    with ours:
        ssl.create_default_context().wrap_socket(ours, False, False, True, host)


def by_tls_without_a_socket(host: str) -> None:
    ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), False, host)


WAYS: list[Callable[[str], object]] = [
    lambda host: socket.create_connection((host.upper() + ".", 443)),
    lambda host: socket.socket().connect_ex((host, 443)),
    lambda host: socket.gethostbyname(host),
    lambda host: httpx.post(f"https://{host}/v1/images/generations"),
    lambda host: requests.get(f"http://{host}/", timeout=5),
    by_openai,
    by_aiohttp,
    by_asyncio,
    by_trio,
    by_tls,
    by_tls_without_a_socket,
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("way", WAYS)
def test_out_of_reach(way: Callable[[str], object], host: str) -> None:
    with pytest.raises((RealHostBlocked, BaseExceptionGroup), check=lambda error: host in repr(error)):
        way(host)


def test_the_mock_is_in_reach(mock_providers: MockProviders) -> None:
    answer = httpx.get(mock_providers.root_url + "/v1/credits", headers={"Host": "api.evolink.ai"})
    assert answer.status_code == 401
    assert socket.getaddrinfo("localhost", 80)
