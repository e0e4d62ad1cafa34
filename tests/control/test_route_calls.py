"""/_mock/routes: the routing table of callbacks, one route at a time or the whole."""

from collections.abc import Callable
from typing import Any

import pytest

from control.steer import (
    APP,
    ask,
    callbacks,
    defects,
    refused,
    route_app,
    submit,
    until,
)
from support.calls import Caller
from support.receiver import receiver
from support.scene import Scene

Serve = Callable[..., Scene]

A, B = (
    {"from": "https://a.example", "to": "http://127.0.0.1:1"},
    {"from": "https://b.example", "to": "http://127.0.0.1:2"},
)


def test_a_route_goes_ahead_of_those_in_force(scene: Scene) -> None:
    ask(scene, "POST", "routes", A)
    assert ask(scene, "POST", "routes", B) == {"routes": [B, A]}
    assert ask(scene, "GET", "routes") == {"routes": [B, A]}


def test_a_route_from_the_same_address_is_replaced(scene: Scene) -> None:
    ask(scene, "PUT", "routes", {"routes": [B, A]})
    again = {**A, "to": "http://127.0.0.1:3"}
    assert ask(scene, "POST", "routes", again) == {"routes": [again, B]}


def test_a_route_is_taken_away_by_where_it_is_from(scene: Scene) -> None:
    ask(scene, "PUT", "routes", {"routes": [A, B]})
    assert ask(scene, "DELETE", "routes", **{"from": "https://a.example"}) == {"routes": [B]}
    assert ask(scene, "DELETE", "routes", **{"from": "https://c.example"}) == {"routes": [B]}
    assert ask(scene, "DELETE", "routes") == {"routes": []}


def test_a_wrong_route_is_refused_and_changes_nothing(scene: Scene) -> None:
    ask(scene, "POST", "routes", A)
    assert "https://app.example.com=" in refused(scene, "POST", "routes", {"from": "nowhere", "to": "there"})
    assert "to" in refused(scene, "POST", "routes", {"from": "https://b.example"})
    assert ask(scene, "GET", "routes") == {"routes": [A]}


def test_routes_are_put_and_shown(scene: Scene) -> None:
    table = {
        "routes": [{"from": APP, "to": "http://127.0.0.1:9000"}, {"from": "https://b.example", "to": "http://h:1/x"}]
    }
    assert ask(scene, "GET", "routes") == {"routes": []}
    assert ask(scene, "PUT", "routes", table) == ask(scene, "GET", "routes") == table
    assert ask(scene, "PUT", "routes", {"routes": []}) == {"routes": []}


def test_a_route_takes_the_path_along(scene: Scene) -> None:
    with receiver() as app:
        route_app(scene, app.url)
        submit(Caller(scene, "evolink", "k"), callback_url=f"{APP}/deep/er?x=1")
        until(lambda: [c["state"] for c in callbacks(scene)] == ["delivered"])
    assert callbacks(scene)[0]["routed"] == f"{app.url}/deep/er?x=1"


def test_a_reset_puts_the_settings_routes_back(serve: Serve) -> None:
    scene = serve(callback_routes=(f"{APP}=http://127.0.0.1:9000",))
    ask(scene, "PUT", "routes", {"routes": []})
    ask(scene, "POST", "reset", {})
    assert ask(scene, "GET", "routes") == {"routes": [{"from": APP, "to": "http://127.0.0.1:9000"}]}


@pytest.mark.parametrize(
    "route",
    [
        {"from": "app.example.com", "to": "http://h"},
        {"from": APP, "to": "nowhere"},
        {"from": APP, "to": ""},
        {"from": f"{APP}?x=1", "to": "http://h"},
        {"from": "ftp://h", "to": "http://h"},
        {"from": APP},
        {"from": APP, "to": "http://h", "weight": 1},
        "https://a=http://b",
    ],
)
def test_routes_that_are_refused_leave_the_table_alone(scene: Scene, route: Any) -> None:
    route_app(scene)
    before = ask(scene, "GET", "routes")
    assert refused(scene, "PUT", "routes", {"routes": [route]})
    assert ask(scene, "GET", "routes") == before
    assert defects(scene) == 0
