"""The addresses at which a server that listens on all of them is reached."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from mockserver.http.listening import own_addresses, served_urls
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web

ROUTES = """Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.168.7.0
        /24 link UNICAST
     |-- 192.168.7.5
        /32 host LOCAL
     |-- 192.168.7.255
        /32 link BROADCAST
     |-- 10.9.8.7
        /32 host LOCAL
     |-- 169.254.3.4
        /32 host LOCAL
     |-- 10.9.8.7
        /32 host LOCAL
"""
INTERFACES = """fe8000000000000000fc00fffe000001 04 40 20 80     eth0
fd000000000000000000000000000002 04 40 00 82     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two networks, as Linux lists their addresses, and no way to others."""
    texts = {Path("/proc/net/fib_trie"): ROUTES, Path("/proc/net/if_inet6"): INTERFACES}
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: texts[path])
    monkeypatch.setattr(socket, "socket", Unconnected)


class Unconnected(socket.socket):
    def connect(self, address: Any) -> None:
        raise OSError("no way there")


@pytest.mark.usefixtures("linux")
def test_the_addresses_of_all_interfaces() -> None:
    assert own_addresses(socket.AF_INET) == ["192.168.7.5", "10.9.8.7"]
    assert own_addresses(socket.AF_INET6) == ["fd00::2"]


@pytest.mark.usefixtures("linux")
def test_the_urls_of_a_server_on_all_addresses() -> None:
    assert served_urls(Settings(host="0.0.0.0"), 80) == ["http://192.168.7.5:80", "http://10.9.8.7:80"]
    assert served_urls(Settings(host="::", tls_cert="x"), 80) == ["https://[fd00::2]:80"]
    assert served_urls(Settings(host="192.168.7.5"), 80) == ["http://192.168.7.5:80"]


def test_without_a_list_it_is_the_address_to_send_from(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: Path, encoding: str) -> str:
        raise FileNotFoundError(path)

    known = own_addresses(socket.AF_INET)
    monkeypatch.setattr(Path, "read_text", missing)
    assert own_addresses(socket.AF_INET) == known[:1]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_each_of_them_is_served(host: str) -> None:
    if host == "::" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    settings = Settings(port=0, host=host)
    with MockServer(settings) as mock:
        for url in served_urls(settings, int(mock.root_url.rpartition(":")[2])):
            assert web.get(f"{url}/healthz", trust_env=False).status_code == 200


@pytest.mark.parametrize(("host", "looked_up"), [("127.0.0.1", False), ("localhost", True)])
@pytest.mark.asyncio
async def test_only_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch, host: str, looked_up: bool) -> None:
    listened: list[object] = []
    loop = asyncio.get_running_loop()
    create: Any = loop.create_server

    async def recorded(factory: Any, host: object = None, *rest: Any, **more: Any) -> Any:
        listened.append(host)
        return await create(factory, host, *rest, **more)

    monkeypatch.setattr(loop, "create_server", recorded)
    async with MockServer(Settings(host=host, port=0)) as mock:
        assert "pending" in await mock.health()
    assert [name is not None for name in listened] == [looked_up]
