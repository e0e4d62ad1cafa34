"""Where callbacks are sent, and that nothing else is connected to. All traffic here is on loopback."""

import asyncio
import socket
from asyncio import selector_events
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.world import Hook, Posted, hook, raw_receiver, words
from mockserver.engine import addresses
from mockserver.engine.addresses import Address
from mockserver.engine.addresses import is_loopback as loopback
from mockserver.engine.callbacks import Outcome
from mockserver.engine.dispatcher import any_address
from mockserver.engine.outbound import AddressRule, Refused, Routing, Sender, _guarded_socket, parse_route

APP = Routing((("https://app.example.com", "http://127.0.0.1:9000"),))
HOOKS = Routing((("https://app.example.com/hooks/", "http://127.0.0.1:9000/in/"),))


@asynccontextmanager
async def sending() -> AsyncIterator[Sender]:
    sender = Sender()
    try:
        yield sender
    finally:
        await sender.close()


async def post(url: str, rule: AddressRule = loopback, timeout: float = 5.0, body: bytes = b'{"a": 1}') -> Outcome:
    async with sending() as sender:
        return await sender.post(url, body, rule, False, timeout)


@pytest.mark.parametrize(
    ("target", "routed"),
    [
        ("https://app.example.com", "http://127.0.0.1:9000"),
        ("https://app.example.com/", "http://127.0.0.1:9000/"),
        ("https://app.example.com/a/b?x=1#f", "http://127.0.0.1:9000/a/b?x=1"),
        ("https://app.example.com?x=1", "http://127.0.0.1:9000?x=1"),
        ("HTTPS://App.Example.COM/A", "http://127.0.0.1:9000/A"),
        ("https://app.example.com.evil.org/", None),
        ("https://app.example.com@evil.org/", None),
        ("https://app.example.com:8443/", None),
        ("https://app.example.community/", None),
        ("https://evil.org/https://app.example.com/", None),
        ("https://user@app.example.com/", None),
        ("http://app.example.com/", None),
        ("https://app.example.co", None),
        ("", None),
    ],
)
def test_a_route_holds_for_one_origin(target: str, routed: str | None) -> None:
    assert APP.resolve(target) == routed
    assert APP.is_routed(target) == (routed is not None)


@pytest.mark.parametrize(
    ("target", "routed"),
    [
        ("https://app.example.com/hooks", "http://127.0.0.1:9000/in"),
        ("https://app.example.com/hooks/1", "http://127.0.0.1:9000/in/1"),
        ("https://APP.example.com/hooks?x", "http://127.0.0.1:9000/in?x"),
        ("https://app.example.com/Hooks/1", None),
        ("https://app.example.com/hooksmith", None),
        ("https://app.example.com/", None),
    ],
)
def test_a_route_with_a_path_holds_below_it(target: str, routed: str | None) -> None:
    assert HOOKS.resolve(target) == routed


def test_the_first_route_that_matches_counts() -> None:
    routing = Routing((("https://a.example/x", "http://127.0.0.1:1"), ("https://a.example", "http://127.0.0.1:2")))
    assert routing.resolve("https://a.example/x/y") == "http://127.0.0.1:1/y"
    assert routing.resolve("https://a.example/y") == "http://127.0.0.1:2/y"


@pytest.mark.parametrize(
    "target", ["https://app.example.com/", "http://10.0.0.1/", "http://8.8.8.8/", "https://nas.local/"]
)
def test_without_a_route_all_but_this_machine_is_captured(target: str) -> None:
    assert Routing().resolve(target) is None
    assert Routing(egress=True).resolve(target) == target


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:9000/", "http://localhost/", "http://[::1]/x", "http://a.localhost/"]
)
def test_this_machine_is_contacted_directly(target: str) -> None:
    assert Routing().resolve(target) == target
    assert not Routing().is_routed(target)


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("https://app.example.com/a/../b?x=%2f#f", "http://127.0.0.1:9100/a/../b?x=%2f"),
        ("http://10.0.0.1:99", "http://127.0.0.1:9100"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9100/x"),
        ("https://user@b.example?q", "http://127.0.0.1:9100?q"),
        ("https://routed.example/x", "http://127.0.0.1:1/x"),
    ],
)
def test_a_port_gets_every_callback_that_no_route_matches(target: str, sent: str) -> None:
    routing = Routing((("https://routed.example", "http://127.0.0.1:1"),), to_port=9100)
    assert (routing.resolve(target), routing.is_routed(target)) == (sent, True)


@pytest.mark.parametrize(
    ("given_as", "sent"),
    [
        *((rest, rest) for rest in words("?s=AbC%2fd%2F /%68 /a/../b /a//b?x=+&y=%20 /%zz ?u=http://a/?b=[c] /p;v=1?")),
        ("/콜백?é=|", "/%EC%BD%9C%EB%B0%B1?%C3%A9=%7C"),
        ("/x?y#fragment?z", "/x?y"),
    ],
)
@pytest.mark.parametrize("base", ["http://127.0.0.1:{}", "https://app.example.com"])
@pytest.mark.asyncio
async def test_path_and_query_go_out_as_they_are_given(base: str, given_as: str, sent: str) -> None:
    async with raw_receiver() as receiver:
        local = f"http://127.0.0.1:{receiver.port}"
        url = Routing((("https://app.example.com", local),)).resolve(base.format(receiver.port) + given_as)
        assert url == local + sent
        outcome = await post(url)
    assert outcome.status == 204
    assert receiver.heads[0].split(b"\r\n")[0] == f"POST {'' if sent[0] == '/' else '/'}{sent} HTTP/1.1".encode()


def test_a_space_is_encoded_where_a_route_lets_it_in() -> None:
    assert APP.resolve("https://app.example.com/a b?c d") == "http://127.0.0.1:9000/a%20b?c%20d"


def test_a_route_is_read() -> None:
    text = "https://app.example.com/a=http://127.0.0.1:9000/b"
    assert parse_route(text) == ("https://app.example.com/a", "http://127.0.0.1:9000/b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        *words(
            "= https://a.example https://a.example= =http://b.example a.example=http://b.example",
            "https://a.example=127.0.0.1:9000 ftp://a.example=http://b.example https://a.example?x=http://b.example",
        ),
    ],
)
def test_what_is_no_route_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no route"):
        parse_route(text)


@pytest.mark.claim("EV-CB-5")
@pytest.mark.asyncio
async def test_the_body_is_posted_as_json_and_as_it_is() -> None:
    body = '{"prompt": "고양이", "n": 1.50}'.encode()
    async with hook(204) as receiver:
        outcome = await post(receiver.url, body=body)
    assert receiver.posted == [Posted("POST", "/hook", "application/json", body)]
    assert (outcome.status, outcome.error, outcome.success) == (204, None, True)
    assert 0 < outcome.duration < 5


@pytest.mark.claim("EV-CB-4")
@pytest.mark.asyncio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_not_followed(status: int) -> None:
    async with hook() as other, hook(status, location=other.url) as receiver:
        outcome = await post(receiver.url)
    assert (outcome.status, outcome.success, len(receiver.posted), other.posted) == (status, False, 1, [])


@pytest.mark.claim("EV-CB-4")
@pytest.mark.asyncio
async def test_a_receiver_that_hangs_is_given_up_at_the_timeout() -> None:
    async with hook(None) as receiver:
        assert await post(receiver.url, timeout=0.05) == Outcome(None, 0.05, "no answer within 0.05 s")


@pytest.mark.claim("EV-CB-4")
@pytest.mark.asyncio
async def test_a_refused_connection_is_a_failure_in_words() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        outcome = await post(f"http://127.0.0.1:{free.getsockname()[1]}/")
    assert (outcome.status, outcome.success) == (None, False)
    assert outcome.error is not None
    assert "Connect" in outcome.error


@pytest.mark.asyncio
async def test_a_receiver_that_hangs_up_is_a_failure_in_words() -> None:
    async def hang_up(_: Any, writer: Any) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        outcome = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (outcome.status, outcome.error) == (None, "the receiver closed the connection before it answered")


@pytest.mark.asyncio
async def test_the_start_of_the_answer_is_kept() -> None:
    async with hook(500, text="x" * 501) as receiver:
        outcome = await post(receiver.url)
    assert (outcome.status, outcome.response) == (500, "x" * 500)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "url", ["http://", "http://[bad/", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "http://a..b/", "\ud800"]
)
async def test_what_is_no_url_is_an_outcome_and_no_crash(url: str) -> None:
    outcome = await post(url)
    assert (outcome.status, outcome.success) == (None, False)
    assert outcome.error


@pytest.mark.asyncio
async def test_one_sender_goes_on_after_a_failure() -> None:
    async with sending() as sender, hook(500, 200) as receiver:
        outcomes = [await sender.post(receiver.url, b"{}", loopback, False, 5.0) for _ in range(2)]
    assert [outcome.status for outcome in outcomes] == [500, 200]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names that resolve to addresses; whatever is not in here resolves to nothing."""
    names: dict[str, str] = {}

    def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        address = names.get(name, name if name[0].isdigit() or ":" in name else "")
        if not address:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if ":" in address else (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that anything tries to connect a socket to, in this process."""
    tried: list[Any] = []
    original = selector_events.BaseSelectorEventLoop.sock_connect

    async def sock_connect(self: Any, sock: Any, address: Any) -> Any:
        tried.append(address[0])
        assert address[0] in ("127.0.0.1", "::1"), "a test must never leave this machine"
        return await original(self, sock, address)

    monkeypatch.setattr(selector_events.BaseSelectorEventLoop, "sock_connect", sock_connect)
    return tried


def port_of(receiver: Hook) -> str:
    return receiver.url.split(":")[2].split("/")[0]


@pytest.mark.parametrize("name", ["localhost", "a.localhost", "a.b.LocalHost."])
@pytest.mark.asyncio
async def test_localhost_names_are_connected_to_without_a_look_up(
    resolver: dict[str, str], connections: list[Any], name: str
) -> None:
    async with hook() as receiver:
        outcome = await post(f"http://{name}:{port_of(receiver)}/hook")
    assert (outcome.status, connections, len(receiver.posted)) == (200, ["127.0.0.1"], 1)


@pytest.mark.asyncio
async def test_a_localhost_name_is_tried_on_ipv6_too(connections: list[Any]) -> None:
    async with raw_receiver(address="::1") as receiver:
        outcome = await post(f"http://app.localhost:{receiver.port}/hook")
    assert (outcome.status, connections) == (204, ["127.0.0.1", "::1"])
    assert f"Host: app.localhost:{receiver.port}\r\n".encode() in receiver.heads[0]


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "8.8.8.8", "0.0.0.0", "::ffff:10.0.0.1", "2606:4700::1"]
)
@pytest.mark.asyncio
async def test_a_name_that_resolves_elsewhere_is_refused(
    resolver: dict[str, str], connections: list[Any], address: str
) -> None:
    resolver["app.example.com"] = address
    outcome = await post("http://app.example.com:9/hook")
    assert (outcome.status, outcome.error) == (None, f"{address} is not an address this server connects to")
    assert connections == []


NOTATIONS = st.sampled_from(
    [
        *("{}", "{:#x}", "0{:o}", "{:#o}", "[::ffff:{}]", "[::{}]", "[64:ff9b::{}]", "[2002:{:x}:{:x}::]", "{}."),
        *("[2001:0:4136:e378:8000:63bf:{:x}:{:x}]", "[::1%{}]", "[fe80::{}%25lo]", "{}.localhost", "localhost.{}"),
    ]
)


@given(st.sampled_from(["127.0.0.1", "127.1.2.3", "10.0.0.1", "8.8.8.8", "0.0.0.0", "1.2.3.4"]), NOTATIONS)
def test_whatever_is_contacted_directly_is_loopback(address: str, notation: str) -> None:
    number = int(IPv4Address(address))
    halves = [number >> 16, number & 0xFFFF]
    halves = [half ^ 0xFFFF for half in halves] if "2001" in notation else halves
    values = halves if notation.count("{") == 2 else [number if notation.endswith(("x}", "o}")) else address]
    target = f"http://{notation.format(*values)}:9/hook"
    dialled: list[str] = []

    async def sock_connect(_: Any, __: Any, place: Any) -> None:
        dialled.append(place[0])
        raise ConnectionRefusedError

    async def deliver() -> None:
        url = Routing().resolve(target)
        if url is not None:
            outcome = await post(url)
            assert dialled, f"{target} was taken for deliverable and not dialled: {outcome.error}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selector_events.BaseSelectorEventLoop, "sock_connect", sock_connect)
        asyncio.run(deliver())
    assert all(place == "::1" or place.startswith("127.") for place in dialled)


@pytest.mark.claim("EV-CB-1", "EV-CB-5")
@pytest.mark.parametrize(
    "address",
    words(
        "127.0.0.1 10.0.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1",
        "::1 :: fe80::1 fc00::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::",
    ),
)
@pytest.mark.asyncio
async def test_with_egress_a_public_name_that_resolves_inside_is_refused(
    resolver: dict[str, str], connections: list[Any], address: str
) -> None:
    resolver["app.example.com"] = address
    outcome = await post("https://app.example.com/hook", rule=addresses.is_public)
    assert (outcome.status, outcome.error) == (None, f"{address} is not an address this server connects to")
    assert connections == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
@pytest.mark.asyncio
async def test_with_egress_a_literal_inside_is_refused(host: str, connections: list[Any]) -> None:
    async with hook() as receiver:
        outcome = await post(f"http://{host}:{port_of(receiver)}/hook", rule=addresses.is_public)
    assert (outcome.status, connections, receiver.posted) == (None, [], [])


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
@pytest.mark.asyncio
async def test_odd_notations_are_refused_by_every_rule(host: str, connections: list[Any]) -> None:
    async with hook() as receiver:
        outcome = await post(f"http://{host}:{port_of(receiver)}/hook", rule=addresses.is_public)
    assert (outcome.status, connections, receiver.posted) == (None, [], [])


def test_a_socket_is_made_for_what_the_rule_accepts() -> None:
    with _guarded_socket("127.0.0.1", loopback) as made:
        assert (made.family, made.type, made.getblocking()) == (socket.AF_INET, socket.SOCK_STREAM, False)


@pytest.mark.parametrize(
    "address", words("10.0.0.1 fe80::1%eth0 ::ffff:10.0.0.1 8.8.8.8 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::")
)
def test_no_socket_is_made_for_what_it_refuses(address: str) -> None:
    with pytest.raises(Refused, match="is not an address this server connects to"):
        _guarded_socket(address, loopback)


@pytest.mark.asyncio
async def test_the_environment_sets_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hook() as proxy, hook() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        outcome = await post(receiver.url, rule=any_address)
    assert (outcome.status, len(receiver.posted), proxy.posted) == (200, 1, [])


def test_the_rules_of_delivery() -> None:
    some: list[Address] = [addresses.literal_address(text) for text in ("127.0.0.1", "10.0.0.1", "8.8.8.8")]  # type: ignore[misc]
    assert [loopback(address) for address in some] == [True, False, False]
    assert [any_address(address) for address in some] == [True, True, True]
    assert [addresses.is_public(address) for address in some] == [False, False, True]
