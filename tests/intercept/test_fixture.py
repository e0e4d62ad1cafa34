"""`mock_providers.intercept()`: in this process every connection to a documented host ends at the test's mock."""

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import openai
import pytest
import requests
import trio
import urllib3
import uvloop

from mockserver.intercept.redirect import REDIRECT, VARIABLE
from mockserver.pytest_plugin import MockProviders, RealHostBlocked
from support.clients import CLIENTS, assert_served, run

URL = "https://api.xhuoapi.ai/v1/openai/images/generations"
BODY = {"model": "gpt-image-2", "prompt": "a fox"}
HEADERS = {"Authorization": "Bearer the-programs-own-key"}

MADE_BEFORE = httpx.Client()
SESSION_MADE_BEFORE = requests.Session()
POOL_MADE_BEFORE = urllib3.PoolManager()


@pytest.fixture(autouse=True, scope="module")
def _closed_at_last() -> Iterator[None]:
    yield
    MADE_BEFORE.close()
    SESSION_MADE_BEFORE.close()
    POOL_MADE_BEFORE.clear()


async def by_aiohttp() -> Any:
    async with aiohttp.ClientSession() as session, session.post(URL, json=BODY, headers=HEADERS) as answer:
        return await answer.json()


async def by_async_httpx() -> Any:
    async with httpx.AsyncClient() as client:
        return (await client.post(URL, json=BODY, headers=HEADERS)).json()


async def by_async_openai() -> Any:
    async with openai.AsyncOpenAI(base_url=URL.removesuffix("/images/generations"), api_key="k") as client:
        return (await client.images.generate(model="gpt-image-2", prompt="a fox")).model_dump()


def by_openai() -> Any:
    with openai.OpenAI(base_url=URL.removesuffix("/images/generations"), api_key="k") as client:
        return client.images.generate(model="gpt-image-2", prompt="a fox").model_dump()


def by_urllib() -> Any:
    request = urllib.request.Request(URL, json.dumps(BODY).encode(), {**HEADERS, "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


WAYS: dict[str, Callable[[], Any]] = {
    "httpx, made before": lambda: MADE_BEFORE.post(URL, json=BODY, headers=HEADERS).json(),
    "requests, made before": lambda: SESSION_MADE_BEFORE.post(URL, json=BODY, headers=HEADERS).json(),
    "urllib3, made before": lambda: POOL_MADE_BEFORE.request("POST", URL, json=BODY, headers=HEADERS).json(),
    "httpx without certificates": lambda: httpx.post(URL, json=BODY, headers=HEADERS, verify=False).json(),
    "urllib": by_urllib,
    "openai": by_openai,
    "aiohttp": lambda: asyncio.run(by_aiohttp()),
    "aiohttp on uvloop": lambda: uvloop.run(by_aiohttp()),
    "httpx on asyncio": lambda: asyncio.run(by_async_httpx()),
    "httpx on uvloop": lambda: uvloop.run(by_async_httpx()),
    "httpx on trio": lambda: trio.run(by_async_httpx),
    "openai on asyncio": lambda: asyncio.run(by_async_openai()),
}


@pytest.mark.parametrize("call", WAYS.values(), ids=WAYS)
def test_every_client_ends_at_the_mock(mock_providers: MockProviders, call: Callable[[], Any]) -> None:
    mock_providers.intercept()
    url = call()["data"][0]["url"]
    assert url.startswith("https://platform.cdn.xhuoapi.ai/gpt-image/")
    assert MADE_BEFORE.get(url).content.startswith(b"\x89PNG")
    mock_providers.assert_spent("xhuoapi", "0.2")
    mock_providers.assert_requested("xhuoapi", times=1, prompt="a fox")


@pytest.mark.parametrize("round_", [1, 2, 3])
def test_a_kept_connection_does_not_lead_to_an_earlier_tests_mock(mock_providers: MockProviders, round_: int) -> None:
    mock_providers.intercept()
    MADE_BEFORE.post(URL, json={**BODY, "prompt": f"round {round_}"}, headers=HEADERS)
    assert [task.prompt for task in mock_providers.tasks()] == [f"round {round_}"]


def test_faults_meet_the_programs_own_key(mock_providers: MockProviders) -> None:
    mock_providers.intercept()
    mock_providers.faults.add("status", provider="xhuoapi", status=429, times=1)
    answers = [MADE_BEFORE.post(URL, json=BODY, headers=HEADERS).status_code for _ in range(2)]
    assert answers == [429, 200]


@pytest.mark.mock_providers(intercept=True)
def test_the_marker(mock_providers: MockProviders) -> None:
    assert MADE_BEFORE.post(URL, json=BODY, headers=HEADERS).status_code == 200


def test_what_is_not_documented_is_reached_as_ever(mock_providers: MockProviders) -> None:
    mock_providers.intercept()
    assert MADE_BEFORE.get(mock_providers.root_url).status_code == 200
    assert socket.gethostbyname("localhost") == "127.0.0.1"


@pytest.mark.parametrize("first", ["intercept", "block_real"])
def test_together_with_block_real(mock_providers: MockProviders, first: str) -> None:
    """What is led is not blocked, in whatever order; and the block is there when there is no interception."""
    for step in (first, "intercept", "block_real"):
        getattr(mock_providers, step)()
    assert MADE_BEFORE.post(URL, json=BODY, headers=HEADERS).status_code == 200


def test_the_block_stays_when_interception_ends(mock_providers: MockProviders) -> None:
    mock_providers.intercept()
    mock_providers.block_real()
    assert mock_providers._interception is not None
    mock_providers._interception.stop()
    with pytest.raises(RealHostBlocked):
        MADE_BEFORE.post(URL, json=BODY, headers=HEADERS)


def test_everything_is_undone(mock_providers: MockProviders) -> None:
    before = dict(os.environ)
    patched = (socket.getaddrinfo, socket.socket.connect, ssl.SSLContext.wrap_bio, subprocess.Popen.__init__)
    mock_providers.intercept()
    mock_providers.intercept()  # once is enough
    assert socket.getaddrinfo is not patched[0]
    mock_providers.end()
    now = (socket.getaddrinfo, socket.socket.connect, ssl.SSLContext.wrap_bio, subprocess.Popen.__init__)
    assert now == patched
    assert dict(os.environ) == before
    assert REDIRECT._finder not in sys.meta_path


ENVIRONMENTS: dict[str, Callable[[], Any]] = {
    "inherited": lambda: None,
    "copied": lambda: dict(os.environ),
    "of its own": lambda: {"PATH": os.environ["PATH"]},
    "as bytes": lambda: {b"PATH": os.environb[b"PATH"]},
}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_started_programs_are_led_too(mock_providers: MockProviders, environment: Callable[[], Any]) -> None:
    mock_providers.intercept()
    client = CLIENTS["urllib"]
    done = subprocess.run(
        client.arguments(), env=environment(), capture_output=True, text=True, timeout=30, check=False
    )
    assert_served(client, done)
    mock_providers.assert_spent("xhuoapi", "0.2")


def test_a_started_curl_is_led_by_the_proxy(mock_providers: MockProviders) -> None:
    mock_providers.intercept()
    assert_served(CLIENTS["curl"], run(CLIENTS["curl"], {}))


def test_a_program_under_exec_may_intercept_for_itself(mock_providers: MockProviders) -> None:
    """Interception inside interception: the inner one counts, and leaves the outer one as it was."""
    outer = os.environ.get(VARIABLE)
    mock_providers.intercept()
    script = (
        "import urllib.request, mockserver.intercept.redirect as ours, socket\n"
        "assert ours.REDIRECT is socket._mockserver_redirect and ours.REDIRECT._targets\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
    assert os.environ.get(VARIABLE) != outer


@pytest.mark.parametrize("host", ["api.evolink.ai", "files.evolink.ai", "dalleprodsec.blob.core.windows.net"])
def test_a_look_up_gives_a_stand_in(mock_providers: MockProviders, host: str) -> None:
    mock_providers.intercept()
    address = socket.gethostbyname(host)
    assert address.startswith("127.86.0.")
    assert socket.gethostbyname_ex(host) == (host, [], [address])
    families = {entry[0]: entry[4] for entry in socket.getaddrinfo(host.upper(), "https")}
    assert families == {socket.AF_INET: (address, 443)}
    ((*_, mapped),) = socket.getaddrinfo(host, 443, socket.AF_INET6)
    assert mapped == (f"::ffff:{address}", 443, 0, 0)
    with closing(socket.create_connection((address, 443), timeout=5)) as plain:
        tls = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        assert tls.getpeercert()
        tls.close()


def test_another_port_fails_with_a_sentence(mock_providers: MockProviders) -> None:
    mock_providers.intercept()
    with pytest.raises(ConnectionError, match="its ports 443 and 80 alone, not for 8443"):
        socket.create_connection(("api.evolink.ai", 8443), timeout=5)


def test_a_connection_by_another_way_is_not_used(mock_providers: MockProviders) -> None:
    """As if a client had looked the name up by itself: its address is that of another server than the mock."""
    mock_providers.intercept()
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with (
            closing(socket.create_connection(("127.0.0.1", port))) as plain,
            pytest.raises(ConnectionError, match="the real service costs money"),
        ):
            ssl.create_default_context().wrap_socket(plain, server_hostname="api.evolink.ai")


def test_another_servers_certificate_is_not_trusted(mock_providers: MockProviders, tmp_path: Path) -> None:
    """What keeps asyncio's TLS, which has no socket to look at, from the real service: even without verification."""
    import trustme

    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("api.evolink.ai").configure_cert(context)
    mock_providers.intercept()

    async def connect() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        trusting = ssl.create_default_context()
        ca.configure_trust(trusting)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        async with server:
            with pytest.raises(ssl.SSLCertVerificationError, match="does not lead to the mock server"):
                await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="api.evolink.ai")

    asyncio.run(connect())


def test_a_server_elsewhere_can_not_be_intercepted_for(
    mock_providers: MockProviders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mock_providers, "_server", None)
    with pytest.raises(ValueError, match="--mock-providers-url"):
        mock_providers.intercept()
