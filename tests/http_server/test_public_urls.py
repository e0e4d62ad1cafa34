"""Where URLs in answers lead, and whose control calls are answered."""

import socket
from contextlib import closing

import httpx
import pytest
from conftest import Serve
from test_bad_wire import parsed, server, talk

from mockserver.http.public_urls import host_name, is_loopback
from support import web
from support.calls import Caller, read_picture
from support.scene import Scene

__all__ = ["server"]  # fixtures

STRANGERS: tuple[str, ...] = (
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.localhost.example",
    "",
)
STRANGERS += ("0.0.0.0.nip.io", "127.0.0.1:80@evil.example", "192.168.0.1", "localhost evil", "api.evolink.ai")
HERE = ("localhost", "127.0.0.1", "127.1.2.3", "[::1]", "mock.localhost", "LOCALHOST:99", "127.0.0.1:1")


@pytest.mark.parametrize("host", HERE)
@pytest.mark.parametrize("path", ["health", "tasks", "requests", "accounts", "callbacks"])
def test_this_machine_may_look_in(server: Scene, host: str, path: str) -> None:
    assert server.http.get(f"/_mock/{path}", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", STRANGERS)
@pytest.mark.parametrize("path", ["health", "tasks", "requests", "accounts", "callbacks", "nope"])
def test_strangers_are_answered_421(server: Scene, host: str, path: str) -> None:
    answer = server.http.get(f"/_mock/{path}", headers={"Host": host})
    if host == "api.evolink.ai":  # there it is evolink's own path
        assert answer.status_code == 404
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (421, "wrong_host")


def test_strangers_may_not_reset(scene: Scene) -> None:
    Caller(scene, "evolink", "k").generate()
    assert scene.http.post("/_mock/reset", headers={"Host": "evil.example"}).status_code == 421
    assert len(scene.mock("tasks")["tasks"]) == 1


def test_no_host_at_all(server: Scene) -> None:
    assert parsed(talk(server.root, b"GET /_mock/health HTTP/1.0\r\n\r\n")).status_code == 421


def at_public_url(serve: Serve, url: str, **settings: object) -> httpx.Client:
    """A client of a server that believes to be elsewhere."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    serve(port=port, public_url=url, **settings).http.close()
    return web.Client(base_url=f"http://127.0.0.1:{port}")


def test_hosts_that_a_setting_names(serve: Serve) -> None:
    hosts = ("mock.test", "Other.Test:8080")
    with at_public_url(serve, "https://public.test:8443/base", allowed_hosts=hosts) as http:
        for host in ("mock.test", "mock.test:1234", "MOCK.test", "other.test", "public.test"):
            assert http.get("/_mock/health", headers={"Host": host}).status_code == 200, host
        assert http.get("/_mock/health", headers={"Host": "not.mock.test"}).status_code == 421


@pytest.mark.parametrize("target", ["http://evil.example", "http://evil.example:80"])
def test_an_absolute_request_line_names_its_host_itself(server: Scene, target: str) -> None:
    sent = f"GET {target}/_mock/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    assert parsed(talk(server.root, sent)).status_code == 421


def credits(target: str, host: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer k\r\n\r\n".encode()


REACHED = {
    "prefix-any-host": ("/evolink/v1/credits", "whatever.example:99"),
    "prefix-bad-host": ("/evolink/v1/credits", "no host"),
    "by-host": ("/v1/credits", "api.evolink.ai"),
    "by-host-and-port": ("/v1/credits", "API.Evolink.ai:8080"),
    "proxy": ("http://api.evolink.ai/v1/credits", "api.evolink.ai"),
    "proxy-target-counts": ("http://api.evolink.ai/v1/credits", "127.0.0.1"),
    "proxy-prefix": ("http://127.0.0.1:8080/evolink/v1/credits", "127.0.0.1:8080"),
    "trailing-dot": ("/v1/credits", "api.evolink.ai."),
}


@pytest.mark.parametrize(("target", "host"), REACHED.values(), ids=REACHED)
def test_a_provider_is_reached(server: Scene, target: str, host: str) -> None:
    assert parsed(talk(server.root, credits(target, host))).status_code == 200


@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
@pytest.mark.parametrize(
    "host", [None, "api.xhuoapi.ai", "jp.icodeeasy.cc", "a b", 'evil"><script>', "a@b", "x/y", "a:99999", ".."]
)
def test_urls_in_answers_resolve(server: Scene, provider: str, host: str | None) -> None:
    answer = Caller(server, provider, "sk_k").generate(headers={} if host is None else {"Host": host})
    url = answer.json()["data"][0]["url"]
    assert url.startswith(server.root), url
    assert read_picture(server.http, url)[0] > 0


def test_a_hostile_host_is_never_in_an_answer(server: Scene) -> None:
    for host in ('evil"><script>', "evil.example/path", "a@evil.example", "evil.example#", "evil.example\\"):
        for path in ("/", "/nope", "/_mock/health"):
            answer = server.http.get(path, headers={"Host": host, "Accept": "text/html"})
            assert "evil" not in answer.text


def test_behind_a_public_url(serve: Serve) -> None:
    headers = {"Host": "else.example", "Authorization": "Bearer k"}
    body = {"model": "gpt-image-2", "prompt": "x"}
    with at_public_url(serve, "https://mock.example/base/") as http:
        answer = http.post("/xhuoapi/v1/openai/images/generations", json=body, headers=headers)
        assert answer.json()["data"][0]["url"].startswith("https://mock.example/base/xhuoapi/gpt-image/")
        assert "https://mock.example/base/evolink/v1" in http.get("/").text


def test_on_ipv6(serve: Serve) -> None:
    scene = serve(host="::1")
    assert scene.root.startswith("http://[::1]:")
    url = Caller(scene, "xhuoapi", "k").generate().json()["data"][0]["url"]
    assert url.startswith(scene.root)
    assert read_picture(scene.http, url) == (1254, 1254)
    documented = Caller(scene, "xhuoapi", "k").generate(headers={"Host": "api.xhuoapi.ai"})
    assert documented.json()["data"][0]["url"].startswith(scene.root)


@pytest.mark.parametrize(("host", "name"), [("A.b:1", "a.b"), ("[::1]:80", "::1"), ("a:b", ""), ("a b", ""), ("", "")])
def test_host_name(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize("host", ["a\n", "a\n:80", "[::1", "a:", "a:123456", "é", "a" * 254, "..", "a:65536"])
def test_malformed_hosts(host: str) -> None:
    assert host_name(host) == ""


def test_loopback_names() -> None:
    assert all(map(is_loopback, ("localhost", "x.localhost", "127.9.9.9", "::1")))
    assert not any(map(is_loopback, ("xlocalhost", "localhost.", "10.0.0.1", "", "::2", "127.1")))
