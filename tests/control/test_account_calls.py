"""/_mock/accounts/{key}: balance, quota and rate limit, in exact money and by the clock."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import httpx
import pytest

from control.steer import PROVIDERS, add, advance, ask, defects, idle, order, refused, submit
from support.calls import MODELS, Caller
from support.errors import assert_refused
from support.scene import Scene

Serve = Callable[..., Scene]
DAY = 86_400
PRICE = {"xhuoapi": "0.2", "icodeeasy": "0.2", "evolink": "2.5"}
OUT_OF_BALANCE = {
    "xhuoapi": (403, "used_up"),
    "icodeeasy": (402, "payment_required"),
    "evolink": (402, "insufficient_quota"),
}
TOO_MANY = {"xhuoapi": "too_many_requests", "icodeeasy": "rate_limit_error", "evolink": "rate_limit_exceeded"}


def put(caller: Caller, **changes: Any) -> Any:
    """Change the caller's account."""
    return ask(caller.scene, "PUT", f"accounts/{caller.key}", changes, provider=caller.provider)


def show(caller: Caller) -> Any:
    return ask(caller.scene, "GET", f"accounts/{caller.key}", provider=caller.provider)


def refused_change(caller: Caller, **changes: Any) -> str:
    return refused(caller.scene, "PUT", f"accounts/{caller.key}?provider={caller.provider}", changes)


@pytest.fixture(params=PROVIDERS)
def caller(scene: Scene, request: pytest.FixtureRequest) -> Caller:
    return Caller(scene, request.param, "sk_k")


@pytest.fixture(params=PROVIDERS)
def slow(serve: Serve, request: pytest.FixtureRequest) -> Caller:
    """Where a generation takes 20 s."""
    return Caller(serve(latency="20"), request.param, "sk_k")


def out_of_balance(caller: Caller) -> bool:
    """Whether a generation is refused for want of money; it is carried out otherwise."""
    answer = order(caller)
    if answer.status_code in (200, 202):
        return False
    assert_refused(caller.provider, answer, *OUT_OF_BALANCE[caller.provider])
    return True


# balance


@pytest.mark.parametrize(
    ("given", "shown"), [("7.5", "7.5"), (7.5, "7.5"), (12, "12"), (0.1, "0.1"), ("0", "0"), ("1e3", "1000")]
)
def test_a_balance_is_set_and_the_opening_moves_along(caller: Caller, given: Any, shown: str) -> None:
    account = put(caller, balance=given)
    assert (account["balance"], account["opening"], account["held"], account["captured"]) == (shown, shown, "0", "0")
    assert caller.money()["balance"] == Decimal(shown)


def test_the_balance_pays_for_so_many_and_no_more(caller: Caller) -> None:
    put(caller, balance=str(3 * Decimal(PRICE[caller.provider])))
    assert [out_of_balance(caller) for _ in range(5)] == [False] * 3 + [True] * 2
    caller.scene.advance(0)
    assert caller.money()["balance"] == 0
    assert len(caller.tasks()) == 3


def test_the_last_fraction_decides(caller: Caller) -> None:
    least = Decimal("0.01") if caller.provider == "icodeeasy" else Decimal("0.0001")
    put(caller, balance=str(Decimal(PRICE[caller.provider]) - least))
    assert out_of_balance(caller)
    put(caller, balance=PRICE[caller.provider])
    assert not out_of_balance(caller)


def test_a_balance_set_while_money_is_held_keeps_the_sum(slow: Caller) -> None:
    price = Decimal(PRICE[slow.provider])
    submit(slow)
    put(slow, balance="50")
    assert slow.money() == {"opening": 50 + price, "balance": 50, "held": price, "captured": 0}
    idle(slow.scene)
    assert slow.money() == {"opening": 50 + price, "balance": 50, "held": 0, "captured": price}


@pytest.mark.parametrize(
    "faulty", ["task_fail", "task_stuck", "task_slow", "disconnect", "status", "truncate", "malformed"]
)
def test_the_sum_holds_whatever_goes_wrong(slow: Caller, faulty: str) -> None:
    add(slow.scene, faulty, times=2)
    for _ in range(4):
        with suppress(httpx.TransportError):
            order(slow)
        slow.money()
        advance(slow.scene, 7)
        slow.money()
    idle(slow.scene)
    held = Decimal(PRICE[slow.provider]) * (2 if faulty == "task_stuck" else 0)
    assert slow.money()["held"] == held


def test_amounts_are_decimal_strings_without_trailing_zeros(slow: Caller) -> None:
    submit(slow)
    account = show(slow)
    assert account["held"] == PRICE[slow.provider]
    assert account["balance"] == str(1000 - Decimal(PRICE[slow.provider]))
    assert all(isinstance(account[name], str) for name in ("opening", "balance", "held", "captured"))


def test_many_small_amounts_add_up_exactly(scene: Scene) -> None:
    xhuoapi = Caller(scene, "xhuoapi", "k")
    put(xhuoapi, balance="100")
    for _ in range(30):
        xhuoapi.generate(model="nano-banana")
    assert xhuoapi.money() == {"opening": 100, "balance": Decimal("95.8"), "held": 0, "captured": Decimal("4.2")}


@pytest.mark.parametrize("field", ["balance", "quota"])
def test_amounts_that_are_refused(caller: Caller, field: str) -> None:
    before = show(caller)
    amounts: list[Any] = [-1, "-0.01", "NaN", "Infinity", "much", [], True, "0.00001"]
    for amount in amounts:
        assert refused_change(caller, **{field: amount}), amount
    assert show(caller) == before
    assert defects(caller.scene) == 0


@pytest.mark.parametrize("field", ["balance", "quota"])
def test_amounts_beyond_what_can_be_kept_exactly_are_refused(caller: Caller, field: str) -> None:
    before = show(caller)
    for amount in ("123456789012345678901234567890.12", "1e100", "1e50000"):
        assert refused_change(caller, **{field: amount}), amount
    assert show(caller) == before


def test_a_large_amount_is_kept_to_the_last_digit(caller: Caller) -> None:
    assert put(caller, balance="999999999999.99")["balance"] == "999999999999.99"
    assert not out_of_balance(caller)


def test_a_change_that_is_refused_in_part_changes_nothing(caller: Caller) -> None:
    before = show(caller)
    assert refused_change(caller, balance="5", quota="0.0000001")
    assert show(caller) == before


@pytest.mark.parametrize(
    "body",
    [
        {"balances": 1},
        {"held": 1},
        {"rate_limit": {"requests": 1}},
        {"rate_limit": {"requests": 1, "seconds": 1, "x": 1}},
    ],
)
def test_unknown_and_missing_fields_are_refused(caller: Caller, body: Any) -> None:
    assert refused_change(caller, **body)


@pytest.mark.parametrize("path", ["accounts/k", "accounts/k?provider=openai"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_the_provider_must_be_named(scene: Scene, method: str, path: str) -> None:
    code = "unknown_provider" if "openai" in path else "bad_request"
    message = refused(scene, method, path, {} if method == "PUT" else None, code=code)
    assert all(provider in message for provider in PROVIDERS)


def test_a_key_has_an_account_at_each_provider(scene: Scene) -> None:
    put(Caller(scene, "xhuoapi", "k"), balance=5)
    assert Caller(scene, "evolink", "k").money()["balance"] == 1000


def test_an_account_goes_by_the_keys_hash_too(caller: Caller) -> None:
    name = put(caller, balance=5)["account"]
    assert show(caller.keyed(name)) == show(caller)


# quota


def test_a_monthly_quota(caller: Caller) -> None:
    put(caller, quota=str(2 * Decimal(PRICE[caller.provider])))
    assert [out_of_balance(caller) for _ in range(3)] == [False, False, True]
    assert caller.money()["balance"] == 1000 - 2 * Decimal(PRICE[caller.provider])


def test_a_quota_is_of_the_calendar_month_by_the_clock(caller: Caller) -> None:
    put(caller, quota=PRICE[caller.provider])
    assert [out_of_balance(caller) for _ in range(2)] == [False, True]
    advance(caller.scene, 31 * DAY - 1)
    assert out_of_balance(caller)
    advance(caller.scene, 1)
    assert [out_of_balance(caller) for _ in range(2)] == [False, True]
    advance(caller.scene, 28 * DAY)
    assert not out_of_balance(caller)


def test_a_release_gives_the_quota_back(slow: Caller) -> None:
    put(slow, quota=PRICE[slow.provider])
    submit(slow, prompt="[mock:fail]")
    assert out_of_balance(slow)
    idle(slow.scene)
    assert [out_of_balance(slow) for _ in range(2)] == [False, True]


def test_a_release_after_the_months_end_gives_nothing_to_the_new_one(slow: Caller) -> None:
    put(slow, quota=PRICE[slow.provider])
    advance(slow.scene, 31 * DAY - 10)
    submit(slow, prompt="[mock:fail]")
    advance(slow.scene, 15)
    submit(slow)
    idle(slow.scene)
    assert out_of_balance(slow)


def test_a_quota_set_anew_is_not_enlarged_by_what_is_released_later(slow: Caller) -> None:
    put(slow, quota=PRICE[slow.provider])
    submit(slow, prompt="[mock:fail]")
    put(slow, quota=PRICE[slow.provider])
    idle(slow.scene)
    assert [out_of_balance(slow) for _ in range(2)] == [False, True]


def test_a_quota_is_lifted_by_null_and_left_alone_when_absent(caller: Caller) -> None:
    assert put(caller, quota=0)["quota"] == "0"
    assert out_of_balance(caller)
    assert put(caller, balance=100)["quota"] == "0"
    assert put(caller, quota=None)["quota"] is None
    assert not out_of_balance(caller)


# rate limit


def limited(caller: Caller) -> str | None:
    """The Retry-After of a generation that is refused as one too many."""
    answer = caller.generate()
    if answer.status_code == 200:
        return None
    assert_refused(caller.provider, answer, 429, TOO_MANY[caller.provider])
    return str(answer.headers["retry-after"])


def test_retry_after_is_exact_and_passes_with_the_clock(caller: Caller) -> None:
    put(caller, rate_limit={"requests": 2, "seconds": 60})
    assert limited(caller) is None
    advance(caller.scene, 10)
    assert [limited(caller), limited(caller)] == [None, "50"]
    advance(caller.scene, 49)
    assert limited(caller) == "1"
    advance(caller.scene, 1)
    assert [limited(caller), limited(caller)] == [None, "10"]
    advance(caller.scene, 10)
    assert [limited(caller), limited(caller)] == [None, "50"]


@pytest.mark.parametrize("passed", [0.1, 0.4, 0.5, 0.6, 0.9, 9.2])
def test_who_waits_as_long_as_told_is_let_in(caller: Caller, passed: float) -> None:
    put(caller, rate_limit={"requests": 1, "seconds": 10})
    assert limited(caller) is None
    advance(caller.scene, passed)
    advance(caller.scene, float(limited(caller) or 0))
    assert limited(caller) is None


def test_a_refused_call_costs_nothing_and_counts_for_nothing(caller: Caller) -> None:
    put(caller, rate_limit={"requests": 0, "seconds": 5})
    assert [limited(caller) for _ in range(3)] == ["5", "5", "5"]
    assert caller.untouched()


def test_a_rate_limit_is_shown_and_lifted(caller: Caller) -> None:
    assert put(caller, rate_limit={"requests": 1, "seconds": 60})["rate_limit"] == {"requests": 1, "seconds": 60}
    assert [limited(caller), limited(caller)] == [None, "60"]
    assert put(caller, rate_limit=None)["rate_limit"] is None
    assert limited(caller) is None


def test_a_rate_limit_is_of_one_key_at_one_provider(caller: Caller) -> None:
    put(caller, rate_limit={"requests": 0, "seconds": 60})
    assert limited(caller.keyed("sk_other")) is None
    others = [name for name in PROVIDERS if name != caller.provider]
    assert [limited(Caller(caller.scene, name, caller.key)) for name in others] == [None, None]


def test_polls_are_free_of_the_rate_limit(caller: Caller) -> None:
    put(caller, rate_limit={"requests": 1, "seconds": 60})
    submit(caller)
    path = {"xhuoapi": "/v1/openai/tasks", "icodeeasy": "/v1/images/tasks/x", "evolink": "/v1/credits"}[caller.provider]
    method = "POST" if caller.provider == "xhuoapi" else "GET"
    assert caller.send(method, path, json={"action": "retrieve", "id": "x"}).status_code != 429


@pytest.mark.parametrize(
    "limit",
    [
        {"requests": -1, "seconds": 1},
        {"requests": 1.5, "seconds": 1},
        {"requests": 1, "seconds": 0},
        {"requests": 1, "seconds": -1},
        {"requests": 0, "seconds": "Infinity"},
        {"requests": 1, "seconds": "NaN"},
        5,
    ],
)
def test_rate_limits_that_are_refused(caller: Caller, limit: Any) -> None:
    assert refused_change(caller, rate_limit=limit)
    assert show(caller)["rate_limit"] is None


# usage


def test_usage_is_recorded_when_money_is_captured(slow: Caller) -> None:
    good, bad = submit(slow, prompt="good"), submit(slow, prompt="[mock:fail]")
    assert show(slow)["usage"] == []
    idle(slow.scene)
    (record,) = show(slow)["usage"]
    assert (record["task_id"], record["amount"]) == (good, PRICE[slow.provider])
    assert (record["model"], record["time"]) == (MODELS[slow.provider], slow.scene.now())
    assert bad not in str(show(slow))


def test_icodeeasys_cost_breakdown_is_as_documented(scene: Scene) -> None:
    icodeeasy = Caller(scene, "icodeeasy", "sk_k")
    data = icodeeasy.generate(n=3, quality="high").json()["data"]
    (record,) = show(icodeeasy)["usage"]
    assert record["amount"] == "1.2"
    assert record["cost_breakdown"] == {
        "image_count": 3,
        "image_cost_rmb": 1.2,
        "image_urls": [image["url"] for image in data],
    }


def test_usage_adds_up_to_what_was_captured(caller: Caller) -> None:
    for _ in range(5):
        submit(caller)
    caller.scene.advance(0)
    assert sum(Decimal(record["amount"]) for record in show(caller)["usage"]) == caller.captured()
    assert show(caller)["generations"] == 5


def test_usage_is_bounded_and_says_what_it_dropped(scene: Scene) -> None:
    evolink = Caller(scene, "evolink", "k")
    put(evolink, balance="100000")
    newest = ""
    for _ in range(1_003):
        newest = submit(evolink)
    scene.advance(0)
    account = show(evolink)
    assert (len(account["usage"]), account["usage_dropped"]) == (1_000, 3)
    assert account["usage"][0]["task_id"] == newest
