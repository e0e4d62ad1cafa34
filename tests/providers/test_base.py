"""The parts of a provider, and its addresses: by prefix, by its documented host, and behind a public URL."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import Serve

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Failure
from mockserver.http.middleware import refusal_of
from mockserver.http.refusals import failure_refusal
from mockserver.providers.base import Provider
from support import web
from support.calls import GENERATIONS, PROVIDERS, Caller, read_picture
from support.errors import assert_refused

HOSTS = {
    "xhuoapi": ["api.xhuoapi.ai"],
    "icodeeasy": ["jp.icodeeasy.cc", "api.icodeeasy.cc"],
    "evolink": ["api.evolink.ai"],
}
BY_HOST = [pytest.param(name, host, id=host) for name, hosts in HOSTS.items() for host in hosts]


def urls_of(caller: Caller, headers: dict[str, str] | None = None, path: str | None = None) -> list[str]:
    """The URLs in the answer to a generation."""
    sent = {"Authorization": f"Bearer {caller.key}", **(headers or {})}
    prefix = f"/{caller.provider}" if path is None else ""
    http = caller.scene.http
    answer = http.post(prefix + (path or GENERATIONS[caller.provider]), json=caller.body(), headers=sent)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    if caller.provider != "evolink":
        return [image["url"] for image in body["data"]]
    task: Any = http.get(f"{prefix}/v1/tasks/{body['id']}", headers=sent).json()
    return list(task["results"])


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_a_status_without_a_documented_error_is_the_general_one_of_its_class(provider: Provider) -> None:
    teapot = refusal_of(provider, None, Problem(Kind.FAILED, status=418))
    broken = refusal_of(provider, None, Problem(Kind.FAILED, status=599))
    assert (teapot.status, teapot.code) == (418, provider.refusals[Kind.INVALID_PARAMETER].code)
    assert (broken.status, broken.code) == (599, provider.refusals[Kind.INTERNAL].code)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_a_failure_with_an_unknown_code_shows_that_code(provider: Provider) -> None:
    refusal = failure_refusal(provider.failures, Failure(Kind.FAILED, "brand_new"))
    assert (refusal.code, refusal.message) == ("brand_new", provider.failures[Kind.FAILED].message)


@pytest.mark.claim("XH-RESP-1", "IC-SYNC-1")
@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy"])
def test_a_waiting_call_is_answered_at_the_tasks_end(request: pytest.FixtureRequest, provider: str) -> None:
    caller: Caller = request.getfixturevalue(provider)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(caller.generate, prompt="[mock:delay=60]")
        while not caller.tasks():
            sleep(0.005)
        caller.scene.advance(59.9)
        assert not answer.done()
        caller.scene.advance(0.1)
        assert answer.result(5).status_code == 200


@pytest.mark.claim("CLIENT-URL-1")
def test_urls_in_answers_can_be_fetched_by_the_client(caller: Caller) -> None:
    for url in urls_of(caller):
        assert url.startswith(f"{caller.scene.root}/{caller.provider}/")
        assert read_picture(caller.scene.http, url)


@pytest.mark.claim("CLIENT-URL-1", "XH-EP-1", "IC-EP-1", "EV-EP-1", "IC-FILE-2")
@pytest.mark.parametrize(("provider", "host"), BY_HOST)
@pytest.mark.parametrize("form", ["{}", "{}:443", "{}:8080"])
def test_a_provider_is_reached_by_its_documented_host(house: Any, provider: str, host: str, form: str) -> None:
    caller = Caller(house, provider, f"sk_{host}{len(form)}")
    for spelling in (host, host.upper()):
        for url in urls_of(caller, {"Host": form.format(spelling)}, GENERATIONS[provider]):
            assert url.startswith(house.root), "a URL on the real host's name could leave this machine"
            assert read_picture(house.http, url)


@pytest.mark.parametrize(("provider", "host"), BY_HOST)
def test_an_unknown_path_of_a_documented_host_is_that_providers_404(house: Any, provider: str, host: str) -> None:
    codes = {"xhuoapi": "no_api", "icodeeasy": "invalid_request_error", "evolink": "invalid_request"}
    answer = house.http.get("/nowhere", headers={"Host": host})
    assert_refused(provider, answer, 404, codes[provider])


@pytest.mark.claim("CLIENT-URL-1")
@pytest.mark.parametrize(
    "host", ["mock.internal", "mock:9000", "localhost", "[::1]:8080", "192.168.0.7:80", "evil.example"]
)
def test_any_host_will_do_under_a_prefix(caller: Caller, host: str) -> None:
    for url in urls_of(caller, {"Host": host}):
        assert url.startswith(f"http://{host}/{caller.provider}/")
        parts = urlsplit(url)
        local = caller.scene.root + parts.path + ("?" + parts.query if parts.query else "")
        answer = caller.scene.http.get(local, headers={"Host": host})
        assert answer.status_code in (200, 302)


@pytest.mark.claim("CLIENT-URL-1")
@pytest.mark.parametrize(
    "host", ["", "a b", "a/b", "a@b", "x:y", "a\\b", "[::1", "a:123456", "é".encode().decode("latin-1"), "<script>"]
)
def test_an_odd_host_does_not_get_into_urls(caller: Caller, host: str) -> None:
    for url in urls_of(caller, {"Host": host.encode("latin-1")}):  # type: ignore[dict-item]  # httpx takes bytes too
        assert url.startswith(f"{caller.scene.root}/{caller.provider}/")
        assert read_picture(caller.scene.http, url)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.claim("CLIENT-URL-1")
@pytest.mark.parametrize("public", ["https://mock.example.com", "http://proxy:8081/images/"])
@pytest.mark.parametrize("provider", HOSTS)
def test_a_public_url_stands_in_front_of_every_url(serve: Serve, provider: str, public: str) -> None:
    port = free_port()
    scene = serve(public_url=public, port=port)
    with web.Client(base_url=f"http://127.0.0.1:{port}") as http:
        for url in urls_of(Caller(replace(scene, http=http), provider, "sk_k"), {"Host": "something.else"}):
            assert url.startswith(f"{public.rstrip('/')}/{provider}/")
            assert http.get(url.removeprefix(public.rstrip("/"))).status_code in (200, 302)
