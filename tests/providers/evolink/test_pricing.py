"""evolink: what a call costs, and how long it takes (EV-BILL-1, EV-CRED-1, EV-LAT-1)."""

from decimal import Decimal
from typing import Any

import pytest
from conftest import Serve

from support.calls import Caller
from support.errors import assert_evolink_error


@pytest.mark.claim("EV-BILL-1")
@pytest.mark.parametrize("fields", [{}, {"size": "3:2"}, {"image_urls": ["https://example.com/a.png"]}, {"n": 10}])
def test_a_call_holds_2_5_credits_and_is_charged_on_completion(evolink: Caller, fields: dict[str, Any]) -> None:
    answer = evolink.generate(prompt="[mock:delay=60]", **fields)
    assert answer.json()["usage"]["credits_reserved"] == 2.5
    assert (evolink.money()["held"], evolink.money()["captured"]) == (Decimal("2.5"), Decimal(0))
    evolink.scene.advance(59.999)
    assert evolink.money()["held"] == Decimal("2.5")
    evolink.scene.advance(0.001)
    assert evolink.captured() == Decimal("2.5")


@pytest.mark.claim("EV-BILL-1")
@pytest.mark.parametrize("prompt", ["[mock:fail]", "[mock:moderated]", "[mock:fail=resource_exhausted]"])
def test_a_failure_releases_the_hold(evolink: Caller, prompt: str) -> None:
    evolink.generate(prompt=f"{prompt} [mock:delay=60]")
    assert evolink.money()["held"] == Decimal("2.5")
    evolink.scene.advance(60)
    assert evolink.money() == {"opening": 1000, "balance": 1000, "held": 0, "captured": 0}


@pytest.mark.claim("EV-BILL-1", "EV-TASK-4")
def test_a_cancel_releases_the_hold(evolink: Caller) -> None:
    task_id = evolink.generate(prompt="[mock:delay=60]").json()["id"]
    evolink.send("POST", f"/v1/tasks/{task_id}/cancel")
    assert evolink.money()["balance"] == 1000
    evolink.scene.advance(100)
    assert evolink.captured() == 0


@pytest.mark.claim("EV-BILL-1", "EV-ERR-1")
def test_a_balance_that_does_not_cover_a_call_is_402(serve: Serve) -> None:
    poor = Caller(serve(balance=Decimal("6")), "evolink", "k")
    assert [poor.generate().status_code for _ in range(2)] == [200, 200]
    assert_evolink_error(poor.generate(), 402, "insufficient_quota", "insufficient_quota")
    assert (len(poor.tasks()), poor.captured()) == (2, Decimal("5"))


def credits(caller: Caller) -> Any:
    return caller.get("/v1/credits").json()


@pytest.mark.claim("EV-CRED-1")
def test_the_credits_of_a_key(evolink: Caller) -> None:
    evolink.generate()
    evolink.scene.advance(0)
    assert credits(evolink) == {
        "data": {
            "token": {"remaining_credits": 997.5, "unlimited_credits": False, "used_credits": 2.5},
            "user": {"remaining_credits": 997.5, "used_credits": 2.5},
        },
        "message": "",
        "success": True,
    }


@pytest.mark.claim("EV-CRED-1")
def test_looking_at_credits_costs_nothing(evolink: Caller) -> None:
    assert credits(evolink)["data"]["user"] == {"remaining_credits": 1000.0, "used_credits": 0.0}
    assert evolink.untouched()


@pytest.mark.claim("EV-LAT-1")
def test_the_documented_profile_takes_60_to_120_seconds(serve: Serve) -> None:
    caller = Caller(serve(latency="documented"), "evolink", "k")
    for _ in range(40):
        assert caller.generate().json()["task_info"]["estimated_time"] == 100
    durations = [task["due"] - task["created"] for task in caller.tasks()]
    assert all(60 <= duration <= 120 for duration in durations)


@pytest.mark.claim("EV-LAT-1")
def test_the_estimated_time_is_within_the_documented_profile(serve: Serve) -> None:
    app = serve().server.app
    ((shortest, longest),) = app.mounts["evolink"].latencies.values()
    assert (shortest, longest) == (60, 120)
    assert shortest < 100 < longest
