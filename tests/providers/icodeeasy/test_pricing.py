"""icodeeasy: what a call costs, and how long it takes (IC-BILL, IC-QUAL-1, IC-LAT-1)."""

from decimal import Decimal
from typing import Any

import pytest
from conftest import Serve

from support.calls import Caller, fixture
from support.errors import assert_icodeeasy_error

from .test_models import PATHS, RATIOS

TIERS = [("low", "0.10"), ("medium", "0.20"), ("auto", "0.20"), ("high", "0.40"), (None, "0.20"), ("absent", "0.20")]


@pytest.mark.claim("IC-BILL-1", "IC-QUAL-1", "IC-N-1")
@pytest.mark.parametrize("n", [1, 3, 10])
@pytest.mark.parametrize(("quality", "price"), TIERS)
@pytest.mark.parametrize("query", ["", "?async=1"])
def test_pictures_are_charged_by_quality(
    icodeeasy: Caller, query: str, quality: str | None, price: str, n: int
) -> None:
    fields: dict[str, Any] = {} if quality == "absent" else {"quality": quality}
    task = icodeeasy.generate(query=query, n=n, **fields).json()
    assert icodeeasy.captured() == Decimal(price) * n
    shown = icodeeasy.get(f"/v1/images/tasks/{task.get('id') or task['task_id']}").json()
    assert shown["cost"] == float(Decimal(price) * n)


@pytest.mark.claim("IC-BILL-1", "IC-RES-1")
@pytest.mark.parametrize("ratio", RATIOS)
def test_size_and_resolution_do_not_matter(icodeeasy: Caller, ratio: str) -> None:
    icodeeasy.generate(size=ratio, resolution="2k")
    assert icodeeasy.captured() == Decimal("0.20")


@pytest.mark.claim("IC-EP-1", "IC-BILL-1")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("references", [[], ["https://example.com/a.png"]])
def test_every_endpoint_bills_alike_with_references_and_without(
    icodeeasy: Caller, path: str, references: list[str]
) -> None:
    answer = icodeeasy.post(path, icodeeasy.body(quality="high", image_urls=references))
    assert answer.status_code == 200, answer.text
    assert icodeeasy.captured() == Decimal("0.40")


@pytest.mark.claim("IC-BILL-1", "IC-BODY-1")
def test_a_form_bills_alike(icodeeasy: Caller) -> None:
    icodeeasy.form([("image[]", fixture("reference.png"))], n="2", quality="low")
    assert icodeeasy.captured() == Decimal("0.20")


@pytest.mark.claim("IC-BILL-2", "IC-ERR-2")
@pytest.mark.parametrize(
    "prompt", ["[mock:fail]", "[mock:moderated]", "[mock:fail=rate_limit_error]", "[mock:status=503]"]
)
@pytest.mark.parametrize("query", ["", "?async=1"])
def test_what_fails_is_not_charged(icodeeasy: Caller, query: str, prompt: str) -> None:
    icodeeasy.generate(query=query, prompt=prompt, n=10, quality="high")
    money = icodeeasy.money()
    assert icodeeasy.captured() == 0
    assert money["balance"] == money["opening"]


@pytest.mark.claim("IC-BILL-2", "IC-ERR-1")
@pytest.mark.parametrize("query", ["", "?async=1"])
def test_a_balance_that_does_not_cover_the_whole_call_is_402(serve: Serve, query: str) -> None:
    poor = Caller(serve(balance=Decimal("0.50")), "icodeeasy", "sk_poor")
    assert_icodeeasy_error(poor.generate(query=query, n=3), 402, "payment_required")
    assert poor.untouched()
    assert poor.generate(query=query, n=2).status_code in (200, 202)
    assert_icodeeasy_error(poor.generate(query=query), 402, "payment_required")
    assert (len(poor.tasks()), poor.captured()) == (1, Decimal("0.40"))


@pytest.mark.claim("IC-BILL-2")
def test_money_is_held_until_the_end(icodeeasy: Caller) -> None:
    icodeeasy.generate(query="?async=1", prompt="[mock:delay=30]", n=2)
    assert (icodeeasy.money()["held"], icodeeasy.money()["captured"]) == (Decimal("0.40"), Decimal(0))
    icodeeasy.scene.advance(30)
    assert icodeeasy.captured() == Decimal("0.40")


@pytest.mark.claim("IC-BILL-3")
def test_the_usage_record(icodeeasy: Caller) -> None:
    body = icodeeasy.generate(n=2, quality="high").json()
    usage = icodeeasy.scene.mock(f"accounts/{icodeeasy.key}", provider="icodeeasy")["usage"]
    assert usage == [
        {
            "time": icodeeasy.scene.now(),
            "task_id": body["id"],
            "model": "gpt-image-2",
            "amount": "0.8",
            "cost_breakdown": {
                "image_count": 2,
                "image_cost_rmb": 0.8,
                "image_urls": [image["url"] for image in body["data"]],
            },
        }
    ]


def durations(serve: Serve, **fields: Any) -> list[float]:
    caller = Caller(serve(latency="documented"), "icodeeasy", "sk_k")
    for _ in range(20):
        assert caller.generate(query="?async=1", **fields).status_code == 202
    return [task["due"] - task["created"] for task in caller.tasks()]


@pytest.mark.claim("IC-LAT-1")
def test_a_picture_takes_30_to_60_seconds(serve: Serve) -> None:
    assert all(30 <= duration <= 60 for duration in durations(serve))


@pytest.mark.claim("IC-LAT-1")
@pytest.mark.parametrize("fields", [{"n": 4}, {"resolution": "2k"}, {"image_urls": ["https://example.com/a.png"]}])
def test_references_2k_and_several_take_longer(serve: Serve, fields: dict[str, Any]) -> None:
    assert sum(durations(serve, **fields)) > sum(durations(serve))


@pytest.mark.claim("IC-LAT-1")
def test_two_hundred_seconds_are_enough_for_one_picture(serve: Serve) -> None:
    longest = durations(serve, resolution="2k", image_urls=["https://example.com/a.png"] * 16)
    assert max(longest) <= 200
