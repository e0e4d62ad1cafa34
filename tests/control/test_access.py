"""Who may steer: loopback peers, whoever has the token; and what a proxy says of who calls."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import make_mocked_request
from conftest import Serve

from control.steer import ask, refusal
from mockserver.client import MockClient
from mockserver.control.access import Access
from mockserver.control.control_request import Refusal
from mockserver.http.public_urls import PublicUrls
from mockserver.settings import Settings
from support.scene import Scene

TOKEN = "s3cret-token"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(serve: Serve) -> Scene:
    return serve(control_token=TOKEN)


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer"}, bearer("wrong"), bearer(TOKEN + "x"), {"Authorization": TOKEN}]
)
def test_without_the_token_nothing_is_shown(guarded: Scene, headers: dict[str, str]) -> None:
    for method, path in (("GET", "health"), ("GET", "requests"), ("POST", "reset"), ("GET", "nothing")):
        answer = guarded.http.request(method, f"/_mock/{path}", headers=headers)
        assert "--control-token" in refusal(answer, 401, "unauthorized")


def test_a_token_of_any_bytes_is_compared(guarded: Scene) -> None:
    answer = guarded.http.get("/_mock/health", headers={b"Authorization": b"Bearer \xe9\xff"})
    assert refusal(answer, 401, "unauthorized")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3:8080", "mock.example"])
def test_the_token_is_enough_under_any_host(guarded: Scene, host: str) -> None:
    assert guarded.http.get("/_mock/health", headers={**bearer(TOKEN), "Host": host}).status_code == 200


def test_the_token_does_not_help_a_page_of_another_site(guarded: Scene) -> None:
    headers = {**bearer(TOKEN), "Origin": "https://evil.example"}
    assert refusal(guarded.http.post("/_mock/reset", headers=headers), 403, "cross_site")


def test_the_servers_own_client_and_another_have_the_token(guarded: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert guarded.server.health()["status"] == "ok"
    monkeypatch.setenv("MOCKSERVER_CONTROL_TOKEN", TOKEN)
    with MockClient(guarded.root) as client:
        assert client.health()["status"] == "ok"


def test_the_token_is_nowhere_on_record(guarded: Scene) -> None:
    guarded.http.post("/_mock/sink/app", headers=bearer(TOKEN))
    shown = guarded.http.get("/_mock/sink/app", headers=bearer(TOKEN))
    assert shown.status_code == 200
    assert TOKEN not in shown.text


def called_by(peer: Any, settings: Settings, **headers: str) -> None:
    """A control call from an address. Raises Refusal."""
    names = {"x_forwarded_for": "X-Forwarded-For", "x_forwarded_host": "X-Forwarded-Host", "host": "Host"}
    sent = {"Host": "localhost", **{names[name]: value for name, value in headers.items()}}
    transport = SimpleNamespace(get_extra_info=lambda name, default=None: peer if name == "peername" else default)
    request = make_mocked_request("GET", "/_mock/health", headers=sent, transport=transport)
    Access(PublicUrls(settings, frozenset()), settings.control_token, settings.host == "127.0.0.1").check(request)


ANYWHERE = Settings(host="0.0.0.0")


@pytest.mark.parametrize(
    "peer", [("10.1.2.3", 1), ("::ffff:10.1.2.3", 1, 0, 0), ("fe80::1%eth0", 1, 0, 2), ("8.8.8.8", 1)]
)
def test_other_machines_may_not_steer_without_a_token(peer: Any) -> None:
    with pytest.raises(Refusal) as caught:
        called_by(peer, ANYWHERE)
    assert (caught.value.status, caught.value.code) == (403, "not_local")
    assert "--control-token TOKEN" in caught.value.message
    assert "Authorization: Bearer TOKEN" in caught.value.message


@pytest.mark.parametrize(
    "peer", [("127.0.0.1", 1), ("127.1.2.3", 1), ("::1", 1, 0, 0), ("::ffff:127.0.0.1", 1, 0, 0), ""]
)
def test_this_machine_may(peer: Any) -> None:
    called_by(peer, ANYWHERE)


def test_what_a_trusted_proxy_forwards_is_not_of_this_machine() -> None:
    trusting = Settings(host="0.0.0.0", trust_proxy=True)
    called_by(("127.0.0.1", 1), trusting)
    for headers in ({"x_forwarded_for": "8.8.8.8"}, {"x_forwarded_host": "localhost"}):
        with pytest.raises(Refusal, match="own machine alone"):
            called_by(("127.0.0.1", 1), trusting, **headers)


def test_the_host_still_counts_for_this_machine() -> None:
    with pytest.raises(Refusal, match="own names"):
        called_by(("127.0.0.1", 1), ANYWHERE, host="evil.example")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["localhost", "10.244.0.7:8080", "evil.example", "\xe9"])
def test_probes_are_answered_under_any_host(guarded: Scene, path: str, host: str) -> None:
    answer = guarded.http.get(path, headers={b"Host": host.encode("latin-1")})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert guarded.http.post(path).status_code == 405


def test_urls_in_answers_follow_a_trusted_proxy(serve: Serve) -> None:
    sent = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "mock.example.com, inner"}
    body = {"model": "gpt-image-2", "prompt": "x"}

    def url(scene: Scene, **headers: str) -> str:
        answer = scene.http.post(
            "/icodeeasy/v1/images/generations", json=body, headers={"Authorization": "Bearer sk_k", **sent, **headers}
        )
        assert isinstance(answer, httpx.Response)
        return str(answer.json()["data"][0]["url"])

    assert url(serve(trust_proxy=True)).startswith("https://mock.example.com/icodeeasy/")
    plain = serve()
    assert url(plain).startswith(f"{plain.root}/icodeeasy/")
    strange = serve(trust_proxy=True)
    assert url(strange, **{"X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "a b"}).startswith(strange.root)
    assert ask(strange, "GET", "clock")
