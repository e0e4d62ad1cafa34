"""The control surface as a test uses it: one call a line, refusals included, at each of the three providers."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep
from types import ModuleType
from typing import Any

import httpx

from mockserver.engine.clock import VIRTUAL_START
from support.calls import Caller
from support.scene import Scene

T0 = VIRTUAL_START
PROVIDERS = ("xhuoapi", "icodeeasy", "evolink")
CALLING_BACK = ("xhuoapi", "evolink")
APP = "https://app.example.com"
"""A production address, which evolink accepts as a callback's."""


def ask(scene: Scene, method: str, path: str, body: Any = None, **params: Any) -> Any:
    """What a control call answers, which must be a 200."""
    content = {} if body is None else {"json": body}
    answer = scene.http.request(method, f"/_mock/{path}", params=params, **content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(answer: httpx.Response, status: int, code: str) -> str:
    """The message of a refused control call, whose shape is asserted."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"].keys() == {"code", "message"}
    return str(answer.json()["error"]["message"])


def refused(
    scene: Scene, method: str, path: str, body: Any = None, status: int = 400, code: str = "bad_request"
) -> str:
    """The message of a control call that is refused."""
    return refusal(scene.http.request(method, f"/_mock/{path}", json=body), status, code)


def advance(scene: Scene, seconds: float) -> list[tuple[float, str, str]]:
    """Advance over the wire; what ran as (seconds since T0, kind, id)."""
    return ran(ask(scene, "POST", "clock/advance", {"seconds": seconds}))


def idle(scene: Scene) -> list[tuple[float, str, str]]:
    """Advance over the wire until nothing is planned."""
    return ran(ask(scene, "POST", "clock/advance", {"until": "idle"}))


def ran(answer: Any) -> list[tuple[float, str, str]]:
    return [(round(event["time"] - T0, 6), event["kind"], event["id"]) for event in answer["ran"]]


def clock(scene: Scene) -> float:
    """Seconds since T0."""
    return round(float(ask(scene, "GET", "clock")["now"]) - T0, 6)


def add(scene: Scene, type: str, match: dict[str, Any] | None = None, **when: Any) -> str:
    """Add a fault rule; parameters of the fault itself go into `fault`. Its id."""
    fault = {"type": type, **when.pop("fault", {})}
    return str(ask(scene, "POST", "faults", {"match": match or {}, "fault": fault, **when})["id"])


def counts(scene: Scene, rule: str) -> tuple[int, int]:
    """How often a rule (matched, fired)."""
    shown = ask(scene, "GET", f"faults/{rule}")
    return shown["matched"], shown["fired"]


def callers(scene: Scene) -> list[Caller]:
    """A client of each provider, with the key `sk_key`."""
    return [Caller(scene, provider, "sk_key") for provider in PROVIDERS]


def task_id(answer: httpx.Response) -> str:
    """The task of a submission that was accepted."""
    assert answer.status_code in (200, 202), answer.text
    body = answer.json()
    return str(body.get("task_id") or body["id"])


def order(caller: Caller, **fields: Any) -> httpx.Response:
    """A submission that does not wait, by each provider's own means."""
    if caller.provider == "xhuoapi" and "callback_url" not in fields:
        fields["async"] = True
    return caller.generate(query="?async=1" if caller.provider == "icodeeasy" else "", **fields)


def submit(caller: Caller, **fields: Any) -> str:
    """Submit without waiting; the task's id."""
    return task_id(order(caller, **fields))


def poll(caller: Caller, name: str) -> httpx.Response:
    """Ask the provider for a task."""
    if caller.provider == "xhuoapi":
        return caller.post("/v1/openai/tasks", {"action": "retrieve", "id": name})
    return caller.get(f"/v1/images/tasks/{name}" if caller.provider == "icodeeasy" else f"/v1/tasks/{name}")


def status(caller: Caller, name: str) -> str:
    """pending, processing, completed or failed, by the control surface."""
    return str(ask(caller.scene, "GET", f"tasks/{name}")["status"])


def sink_url(scene: Scene, name: str = "app") -> str:
    """A sink's own address, which xhuoapi accepts as a callback's."""
    return f"{scene.root}/_mock/sink/{name}"


def route_app(scene: Scene, to: str | None = None) -> None:
    """Send what is meant for `APP` to the sinks, or to a receiver of one's own."""
    ask(scene, "PUT", "routes", {"routes": [{"from": APP, "to": to or f"{scene.root}/_mock/sink"}]})


def script(scene: Scene, *responses: Any, name: str = "app") -> None:
    ask(scene, "PUT", f"sink/{name}", {"responses": list(responses)})


def received(scene: Scene, name: str = "app") -> list[tuple[float, Any]]:
    """What a sink was sent: (seconds since T0, body)."""
    return [(round(got["time"] - T0, 6), got["body"]) for got in ask(scene, "GET", f"sink/{name}")["received"]]


def callbacks(scene: Scene, **params: Any) -> list[Any]:
    """Deliveries, oldest first."""
    found: list[Any] = ask(scene, "GET", "callbacks", **params)["callbacks"]
    return found[::-1]


def attempts(delivery: Any) -> list[tuple[float, int | None]]:
    """(seconds since T0, status) of a delivery's attempts."""
    return [(round(attempt["time"] - T0, 6), attempt["status"]) for attempt in delivery["attempts"]]


def called_back(scene: Scene, provider: str = "xhuoapi", key: str = "sk_key", **fields: Any) -> str:
    """Submit with the sink `app` as the callback's address; the task's id. evolink needs `route_app`."""
    url = f"{APP}/app" if provider == "evolink" else sink_url(scene)
    return submit(Caller(scene, provider, key), callback_url=url, **fields)


def defects(scene: Scene) -> int:
    """How many internal errors the server counts."""
    return int(scene.mock("health")["defects"]["count"])


def until(condition: Callable[[], Any]) -> None:
    """Wait for something to be so, for at most 5 real seconds."""
    end = monotonic() + 5
    while not condition():
        assert monotonic() < end, "it never was so"
        sleep(0.002)


class Later:
    """A call under way in a thread."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    @property
    def done(self) -> bool:
        return self._future.done()

    def result(self) -> Any:
        return self._future.result(5)


@contextmanager
def later(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Iterator[Later]:
    """Do something in a thread."""
    with ThreadPoolExecutor(1) as pool:
        yield Later(pool.submit(work, *args, **kwargs))


def steering_of(scene: Scene) -> ModuleType:
    """The module that bounds the sinks of a server, whatever its store."""
    return sys.modules[type(scene.server.app.engine.store.steering).__module__]
