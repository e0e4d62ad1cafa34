"""The routing table of callbacks: one route at a time, or the whole."""

from control.steer import ask, refused
from support.scene import Scene

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
