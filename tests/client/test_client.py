"""The typed client of the control surface, blocking and asynchronous."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from inspect import getmembers, getsource, isfunction
from pathlib import Path
from typing import Any

import pytest

from mockserver import providers
from mockserver.client import (
    AsyncMockClient,
    MockClient,
    MockError,
    NotDelivered,
    discovered,
    operations,
    waiting,
)
from mockserver.client.asynchronous import client as asynchronous_client
from mockserver.client.asynchronous import parts as asynchronous_parts
from mockserver.client.blocking import client as blocking_client
from mockserver.client.blocking import parts as blocking_parts
from mockserver.client.discovered import choose_keys, is_billable
from mockserver.client.protocol import ControlCall, read_answer
from mockserver.client.scope import Scope
from mockserver.engine.clock import VIRTUAL_START
from mockserver.providers import base
from mockserver.providers.base import discover
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer(Settings(clock="virtual", latency="60", seed="client")) as server:
        yield server


def submit(mock: MockClient, callback_url: str | None = None, key: str | None = None, prompt: str = "a fox") -> str:
    """A generation at evolink; the task's id."""
    answer = web.post(
        f"{mock.evolink.base_url}/v1/images/generations",
        headers={"Authorization": f"Bearer {key or mock.api_key}"},
        json={"model": "gpt-image-2-beta", "prompt": prompt, "callback_url": callback_url},
    )
    return str(answer.json()["id"])


def routed(mock: MockClient, *script: int | tuple[int, float]) -> str:
    """A callback URL that leads to a sink."""
    mock.callbacks.route("https://app.example.com", mock.sink("hook").script(*script).url)
    return "https://app.example.com/hook"


def test_addresses(mock: MockServer) -> None:
    assert mock.evolink.base_url == f"{mock.root_url}/evolink"
    assert mock.xhuoapi.openai_base_url == f"{mock.root_url}/xhuoapi/v1/openai"
    assert mock.icodeeasy.openai_base_url == f"{mock.root_url}/icodeeasy/v1"
    assert mock.env()["XHUOAPI_BASE_URL"] == f"{mock.root_url}/xhuoapi/v1"
    assert {value for name, value in mock.env().items() if name.endswith("_KEY")} == {mock.api_key}


def test_providers_are_those_that_are_discovered(mock: MockServer) -> None:
    for provider in discover():
        assert mock.provider(provider.name).base_url == f"{mock.root_url}/{provider.name}"
        assert getattr(mock, provider.name).name == provider.name
        assert provider.accepts_key(mock.provider(provider.name).api_key)
    assert mock.provider("icodeeasy").openai_base_url == mock.icodeeasy.openai_base_url
    with pytest.raises(ValueError, match="no provider 'evolinc'; there are evolink, icodeeasy"):
        mock.provider("evolinc")
    with pytest.raises(AttributeError, match="no attribute 'evolinc'; the providers are evolink, icodeeasy, xhuoapi"):
        mock.evolinc  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match="evolink has no endpoints for OpenAI SDKs; icodeeasy, xhuoapi have"):
        mock.evolink.openai_base_url  # noqa: B018


@pytest.mark.parametrize("provider", discover(), ids=lambda provider: provider.name)
def test_calls_that_generate_are_those_of_billable_routes(provider: base.Provider) -> None:
    for route in provider.routes:
        path = re.sub(r"\{\w+\}", "x1", route.path)
        assert is_billable(provider.name, route.method, path) is route.billable
    assert not is_billable(provider.name, "POST", "/v1/nothing")
    assert not is_billable("unknown", "POST", provider.example.path)


def test_the_providers_of_this_package_are_typed() -> None:
    """A type checker knows each of them as an attribute, in both clients."""
    for module in (asynchronous_client, blocking_client):
        typed = set(re.findall(r"^        (\w+): Provider$", getsource(module), re.MULTILINE))
        assert typed == {path.parent.name for path in Path(providers.__file__).parent.glob("*/__init__.py")}


@pytest.fixture
def fourth(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A fourth provider is installed, whose keys fit no other form than its own."""
    known = {provider.name: provider for provider in discover()}
    example = replace(known["evolink"].example, key="nb-0123456789abcdef0123456789abcdef")
    rule = re.compile(r"nb-[0-9a-z_]{20,40}").fullmatch
    other = replace(known["evolink"], name="nanobanana", example=example, accepts_key=lambda key: bool(rule(key)))
    monkeypatch.setattr(base, "discover", lambda: (*known.values(), other))
    discovered.installed.cache_clear()
    yield
    discovered.installed.cache_clear()


@pytest.mark.usefixtures("fourth")
def test_a_provider_with_keys_of_its_own_form() -> None:
    """Its key differs; lists, faults and variables are about both keys."""
    scope = Scope(own_only=True, key_token="0123456789abcdef")
    assert scope.api_key == "sk_mock_0123456789abcdef"
    assert scope.key_for("nanobanana") == "nb-mock_0123456789abcdef"
    assert scope.key_for("evolink") == scope.api_key
    assert scope.filter() == {"api_key": ("sk_mock_0123456789abcdef", "nb-mock_0123456789abcdef")}
    add = operations.add_fault(scope, "status", {"provider": "nanobanana"}, False, None, False)
    assert next(add).body["match"] == {"provider": "nanobanana", "api_key": "nb-mock_0123456789abcdef"}
    add = operations.add_fault(scope, "status", {}, False, None, False)
    assert next(add).body["match"] == {"api_key": "sk_mock_0123456789abcdef"}
    assert is_billable("nanobanana", "POST", "/v1/images/generations")
    assert MockClient("http://127.0.0.1:9").nanobanana.name == "nanobanana"  # type: ignore[attr-defined]


@pytest.mark.usefixtures("fourth")
def test_keys_are_chosen_among_those_that_a_server_accepts() -> None:
    keys = choose_keys(allowed=("mine", "sk_mine", "nb-aaaaaaaaaaaaaaaaaaaaaaaa"))
    assert (keys.shared, keys.by_provider) == ("sk_mine", {"nanobanana": "nb-aaaaaaaaaaaaaaaaaaaaaaaa"})
    chosen = choose_keys(given="my-key")
    assert chosen.shared == "my-key"
    assert set(chosen.by_provider) == {"icodeeasy", "nanobanana"}
    assert discovered.installed()["icodeeasy"].accepts_key(chosen.by_provider["icodeeasy"])


def test_the_clock(mock: MockServer) -> None:
    assert mock.clock.get().raw["mode"] == "virtual"
    assert mock.clock.now == VIRTUAL_START
    task_id = submit(mock)
    assert mock.clock.get().next_due == VIRTUAL_START + 60
    assert mock.clock.advance(59).ran == ()
    (ran,) = mock.clock.advance(until=VIRTUAL_START + 61).ran
    assert (ran.time, ran.kind, ran.id) == (VIRTUAL_START + 60, "finish", task_id)
    assert mock.clock.advance(until="idle").next_due is None
    for nothing_or_both in ({}, {"seconds": 1, "until": "idle"}):
        with pytest.raises(MockError, match="Give either"):
            mock.clock.advance(**nothing_or_both)  # type: ignore[arg-type]
    assert mock.clock.set(mode="real", speed=10).speed == 10
    assert mock.clock.set(mode="virtual", autojump=True).autojump


def test_a_refusal_is_an_error_with_the_servers_message(mock: MockServer) -> None:
    with pytest.raises(MockError, match="cannot go back") as refused:
        mock.clock.advance(until=VIRTUAL_START - 1)
    assert (refused.value.status, refused.value.code) == (400, "bad_request")
    with pytest.raises(MockError, match="there are evolink, icodeeasy"):
        mock.faults.add("status", provider="nobody")
    with pytest.raises(MockError, match="disconnect has type, after_bytes; not status"):
        mock.faults.add("disconnect", status=500)


def test_faults(mock: MockServer) -> None:
    rule = mock.faults.add("status", provider="evolink", status=503, code=None, times=1, skip=1, api_key="sk_one")
    assert rule.match["api_key"].startswith("acct_")
    assert rule.fault == {"type": "status", "status": 503}
    other = mock.faults.add("task_fail", prompt="doomed", probability=0.5, every=2)
    assert [found.id for found in mock.faults.list()] == [rule.id, other.id]
    assert mock.faults.get(other.id).probability == 0.5
    assert mock.faults.remove(other.id).id == other.id
    assert mock.faults.clear() == 1
    assert mock.faults.list() == []


def test_requests_and_tasks(mock: MockServer) -> None:
    first, second = submit(mock), submit(mock, key="sk_other", prompt="a bear")
    assert [request.task_id for request in mock.requests()] == [first, second]
    assert [request.prompt for request in mock.requests(prompt="bear")] == ["a bear"]
    assert mock.requests("xhuoapi") == mock.requests(status=404) == mock.requests(method="GET") == []
    assert len(mock.requests("evolink", path="/v1/images/*", model="gpt-image-2-beta", status=200)) == 2
    request = mock.requests(task_id=first)[0]
    assert (request.cost, request.generates, request.body["prompt"]) == (Decimal("2.5"), True, "a fox")
    assert [task.id for task in mock.tasks()] == [first, second]
    assert mock.tasks(status="completed") == mock.tasks("icodeeasy") == []
    task = mock.task(first)
    assert (task.status, task.due) == ("pending", VIRTUAL_START + 60)
    assert (task.held, task.captured) == (Decimal("2.5"), Decimal(0))


def test_a_task_is_ended_by_hand(mock: MockServer) -> None:
    done, failed, dropped = submit(mock), submit(mock), submit(mock)
    assert mock.complete_task(done).status == "completed"
    failure = mock.fail_task(failed, "generation_timeout").failure
    assert failure is not None
    assert failure["code"] == "generation_timeout"
    assert mock.cancel_task(dropped).status == "failed"
    general = mock.fail_task(submit(mock)).failure
    assert general is not None
    assert general["code"] == "service_error"
    with pytest.raises(MockError, match="ended already") as refused:
        mock.complete_task(done)
    assert (refused.value.status, refused.value.code) == (409, "has_ended")
    mock.assert_spent("evolink", "2.5")


def test_a_request_is_sent_again(mock: MockServer) -> None:
    submit(mock)
    (first,) = mock.requests()
    again = mock.resend(first.id)
    assert again.status == 200
    assert [request.id for request in mock.requests()] == [first.id, again.id]
    assert {request.account for request in mock.requests()} == {first.account}


def test_advice(mock: MockServer) -> None:
    assert mock.advice() == []
    task_id = submit(mock)
    with web.Client(base_url=mock.evolink.base_url, headers={"Authorization": f"Bearer {mock.api_key}"}) as http:
        for _ in range(30):
            http.get(f"/v1/tasks/{task_id}")
    (advice,) = [advice for advice in mock.advice() if task_id in advice.tasks]
    assert advice.account == mock.task(task_id).account
    assert set(advice.requests) <= {request.id for request in mock.requests()}


def test_the_kinds_of_faults(mock: MockServer) -> None:
    kinds = mock.faults.kinds()
    assert "status" in kinds["status"]["parameters"]
    assert kinds.keys() >= {"status", "disconnect", "task_fail"}


def test_a_list_of_several_pages(mock: MockServer) -> None:
    with web.Client(base_url=mock.evolink.base_url, headers={"Authorization": "Bearer k"}) as http:
        for _ in range(1_001):
            http.get("/v1/credits")
    times = [request.time for request in mock.requests()]
    assert len(times) == 1_001
    assert len({request.id for request in mock.requests()}) == 1_001


def test_accounts(mock: MockServer) -> None:
    submit(mock)
    account = mock.evolink.account()
    assert (account.opening, account.balance, account.held) == (Decimal(1000), Decimal("997.5"), Decimal("2.5"))
    account = account.set(balance="10.5", quota=7, rate_limit=(2, 60))
    assert (account.balance, account.quota) == (Decimal("10.5"), Decimal(7))
    assert account.rate_limit is not None
    assert (account.rate_limit.requests, account.rate_limit.seconds) == (2, 60)
    account = account.set(quota=None)
    assert account.quota is None
    assert account.rate_limit is not None
    assert account.set(rate_limit=None).rate_limit is None
    assert mock.evolink.account("sk_never_seen").balance == 1000
    assert [found.generations for found in mock.accounts()] == [1]
    mock.clock.advance(60)
    (usage,) = mock.evolink.account().usage
    assert (usage.amount, usage.model, usage.time) == (Decimal("2.5"), "gpt-image-2-beta", VIRTUAL_START + 60)
    assert usage.cost_breakdown["billing_rule"] == "per_call"


def test_sinks_and_retries(mock: MockServer) -> None:
    task_id = submit(mock, routed(mock, 500, (200, 11)))
    mock.clock.advance(80)
    (callback,) = mock.callbacks.list(task_id)
    assert [(a.time - callback.created, a.status) for a in callback.attempts] == [(0, 500), (1, None), (13, 200)]
    sink = mock.sink("hook").get()
    assert sink.responses_left == 0
    assert [got.body["id"] for got in sink.received] == [task_id] * 3
    assert mock.callbacks.get(callback.id) == callback
    mock.callbacks.redeliver(callback.id)
    mock.clock.advance(0)
    assert len(mock.sink("hook").received) == 4


def test_waiting_with_autojump_moves_the_clock(mock: MockServer) -> None:
    mock.clock.set(autojump=True)
    task_id = submit(mock, routed(mock, 500, 500))
    assert mock.callbacks.wait_delivered(task_id, timeout=5).state == "delivered"
    assert mock.clock.now == VIRTUAL_START + 63


def test_waiting_without_autojump_leaves_the_clock(mock: MockServer) -> None:
    task_id = submit(mock, routed(mock, 500))
    with pytest.raises(NotDelivered, match=r"is pending and has sent no callback\n.*advance it by 60 s"):
        mock.callbacks.wait_delivered(task_id, timeout=0)
    mock.clock.advance(60)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(mock.callbacks.wait_delivered, task_id)
        mock.clock.advance(1)
        assert waiting.result().attempts[-1].status == 200


def test_waiting_for_a_callback_that_can_not_arrive(mock: MockServer) -> None:
    with pytest.raises(NotDelivered, match="asked for no callback"):
        mock.callbacks.wait_delivered(submit(mock))
    mock.clock.set(autojump=True)
    with pytest.raises(NotDelivered, match="captured"):
        mock.callbacks.wait_delivered(submit(mock, "https://elsewhere.example.com/hook"))
    with pytest.raises(NotDelivered, match="gave_up"):
        mock.callbacks.wait_delivered(submit(mock, routed(mock, 500, 500, 500, 500)))
    with pytest.raises(MockError, match="no such task"):
        mock.callbacks.wait_delivered("nothing")


def test_a_receiver_calls_the_control_surface_while_it_is_delivered_to(mock: MockServer) -> None:
    """It has a connection of its own, though the one that advances waits on another."""
    seen: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(mock.tasks()[0].status)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as hook:
        thread = threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        mock.callbacks.route("https://app.example.com", f"http://127.0.0.1:{hook.server_port}")
        task_id = submit(mock, "https://app.example.com/hook")
        mock.clock.advance(60)
        hook.shutdown()
        thread.join()
    assert mock.assert_delivered(task_id)[0].attempts[0].status == 204
    assert seen == ["completed"]


def test_snapshot_and_restore(mock: MockServer) -> None:
    task_id = submit(mock, routed(mock))
    state = json.loads(json.dumps(mock.snapshot()))
    mock.reset()
    assert mock.tasks() == []
    assert mock.callbacks.routes() == {}
    assert mock.restore(state).now == VIRTUAL_START
    mock.clock.advance(until="idle")
    assert mock.assert_delivered()[0].task_id == task_id


def test_a_reset_of_one_key(mock: MockServer) -> None:
    submit(mock)
    submit(mock, key="sk_other")
    mock.reset("sk_other")
    assert len(mock.tasks()) == len(mock.requests()) == 1


def test_assertions_about_every_key(mock: MockServer) -> None:
    submit(mock, key="sk_one")
    submit(mock, key="sk_two")
    mock.clock.advance(60)
    assert mock.assert_spent("evolink", 5) == 5
    assert len(mock.assert_requested("evolink", times=2)) == 2
    assert mock.assert_requested(path="/v1/images/generations")
    with pytest.raises(AssertionError, match="spent 0 CNY at icodeeasy, not 1\n  nothing was charged"):
        mock.assert_spent("icodeeasy", 1)
    submit(mock)
    with pytest.raises(AssertionError, match=r"2\.5 credits more are held"):
        mock.assert_spent("evolink", "7.5")
    with pytest.raises(AssertionError, match=r"expected 1 request to any provider with model='m', status=200, found 0"):
        mock.assert_requested(times=1, model="m", status=200)


def test_a_callback_of_an_unknown_task_says_which_tasks_there_are(mock: MockServer) -> None:
    with pytest.raises(AssertionError, match="no task 'task-x'\n  there are no tasks\n  there were no calls"):
        mock.assert_delivered("task-x")
    task_id = submit(mock)
    said = f"no task 'task-x'\n  the tasks are:\n    {task_id} evolink gpt-image-2-beta, pending"
    with pytest.raises(AssertionError, match=said):
        mock.assert_delivered("task-x")


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_the_control_token_is_sent(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    class Control(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    if how == "variable":
        monkeypatch.setenv("MOCKSERVER_CONTROL_TOKEN", "s3cret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Control) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        client = MockClient(
            f"http://127.0.0.1:{server.server_port}", control_token="s3cret" if how == "argument" else None
        )
        client.health()

        async def main() -> None:
            async with client.aio() as mock:
                await mock.health()

        asyncio.run(main())
        server.shutdown()
        thread.join()
    assert seen == ["Bearer s3cret", "Bearer s3cret"]


def test_a_client_of_a_server_elsewhere(mock: MockServer) -> None:
    task_id = submit(mock)
    with MockClient(mock.root_url + "/", api_key="sk_own") as client:
        assert client.evolink.base_url == mock.evolink.base_url
        assert client.tasks()[0].id == task_id
        assert client.api_key == "sk_own"


def test_threads_share_a_client(mock: MockServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: mock.clock.now, range(200))) == {VIRTUAL_START}


def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    with MockServer() as first:
        port = int(first.root_url.rpartition(":")[2])
        client = MockClient(first.root_url)
        client.health()
    with MockServer(port=port), client:
        assert client.health()["status"] == "ok"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://127.0.0.1:9/below"])
def test_an_address_without_a_server(url: str) -> None:
    with pytest.raises(MockError, match=f"No mock server answers at {url}: .*refused"):
        MockClient(url).health()


@pytest.mark.parametrize(
    ("status", "data", "said"),
    [(200, b"<html>", "no JSON"), (404, b"{}", "answers 404"), (400, b'{"error": {"message": "why"}}', "why")],
)
def test_answers_of_other_servers(status: int, data: bytes, said: str) -> None:
    with pytest.raises(MockError, match=said):
        read_answer(status, data)


def test_queries_are_encoded() -> None:
    assert (
        ControlCall("GET", "tasks", {"api_key": "sk_a&b=ü", "provider": None}).target
        == "/_mock/tasks?api_key=sk_a%26b%3D%C3%BC"
    )


def test_the_asynchronous_client(mock: MockServer) -> None:
    task_id = submit(mock, routed(mock, 500))

    async def main() -> None:
        async with AsyncMockClient(mock.root_url) as client:
            assert await client.clock.now() == VIRTUAL_START
            await client.clock.set(autojump=True)
            assert (await client.callbacks.wait_delivered(task_id)).state == "delivered"
            account = await client.evolink.account()
            assert (await account.set(balance=3)).balance == 3
            assert len(await client.sink("hook").received()) == 2
            with pytest.raises(MockError, match="no provider 'nobody'"):
                await client.faults.add("status", provider="nobody")
            await asyncio.gather(*(client.health() for _ in range(20)))
            await client.reset()
            assert await client.tasks() == []
            assert await client.requests() == []
        with pytest.raises(MockError, match="No mock server answers"):
            async with AsyncMockClient("http://127.0.0.1:9") as client:
                await client.health()

    asyncio.run(main())


def _operations(kind: type[Any]) -> set[str]:
    return {name for name, _ in getmembers(kind, isfunction) if not name.startswith("_")}


@pytest.mark.parametrize("part", ["Account", "Provider", "Clock", "Faults", "Callbacks", "Sink"])
def test_both_clients_have_the_same_parts(part: str) -> None:
    one, other = getattr(blocking_parts, part), getattr(asynchronous_parts, part)
    properties = {name for name in dir(one) if isinstance(getattr(one, name), property)}
    assert _operations(one) | properties - {"base_url"} == (
        _operations(other) | {name for name in dir(other) if isinstance(getattr(other, name), property)} - {"base_url"}
    )


def test_both_clients_have_the_same_operations() -> None:
    one, other = _operations(blocking_client.BlockingMockClient), _operations(asynchronous_client.AsyncMockClient)
    assert one == other
    assert _operations(MockClient) - one == {"aio"}


NOT_FOR_SCRIPTS = {
    ("POST", "sink/{}"): "receivers are called by the server",
    ("GET", "requests/{}"): "the list has whole records",
    ("GET", "events"): "a stream, for the live page",
    ("GET", "pictures/{}/{}"): "thumbnails; a client fetches the URL that the provider answered",
    ("GET", "openapi.json"): "a description for tools: `mockserver openapi control`",
    ("GET", "metrics"): "text for Prometheus",
    ("GET", "requests.har"): "a file for other tools: `mockserver har`",
    ("GET", "providers"): "texts of the live page; `mock.provider(NAME)` and `mock.env()` have the addresses",
    ("GET", "proxy"): "for `mockserver env --proxy`; in Python there is `intercept()`",
}


def test_every_call_of_the_control_surface_has_an_operation() -> None:
    """Of the routes that exist, a client can make every one but those of `NOT_FOR_SCRIPTS`."""
    with MockServer() as server:
        routes = {(method, path) for method, path, _ in server.app.control.routes}
    source = getsource(operations) + getsource(waiting)
    asked = {
        (method, re.sub(r"\{segment\(\w+\)\}", "{}", path))
        for method, path in re.findall(r'ControlCall\(\s*"(\w+)", f?"([^"]+)"', source)
    }
    asked |= {("GET", noun) for noun in re.findall(r'pages\(\s*"(\w+)"', source)}
    known = {(method, re.sub(r"\{\w+\}", "{}", path.removeprefix("/_mock/"))) for method, path in routes}
    assert known - asked == NOT_FOR_SCRIPTS.keys()
    assert asked <= known
