"""xhuoapi: what a call costs, by the account's ledger (XH-PRICE, XH-BILL-1, XH-LAT-1)."""

from decimal import Decimal
from typing import Any

import pytest
from conftest import Serve

from support.calls import ASYNC, Caller, fixture
from support.errors import assert_xhuoapi_error

from .test_models import FOUR_K, GPT, NANO, ONE_K, TWO_K

CHARGES: list[tuple[str, dict[str, Any], str]] = [
    *(("gpt-image-2", {"size": size}, "0.2") for size in [*ONE_K, "1254x1254", "1672x941", "941x1672"]),
    *(("gpt-image-2", {"size": size}, "0.2") for size in ("auto", "", None)),
    ("gpt-image-2", {}, "0.2"),
    *(("gpt-image-2", {"size": size}, "0.3") for size in [*TWO_K, *FOUR_K, "16x16", "512x512", "1008x1024"]),
    ("gpt-image-2", {"quality": "high", "output_format": "webp", "n": 10}, "0.2"),
    ("gpt-image-1", {}, "0.2"),
    ("gpt-image-1", {"size": "1536x1024", "quality": "high", "n": 4}, "0.2"),
    ("gpt-image-1.5", {}, "0.55"),
    ("gpt-image-1.5", {"size": "1024x1536", "quality": "low"}, "0.55"),
    ("dall-e-2", {}, "0.1"),
    ("dall-e-2", {"n": 3, "size": "256x256"}, "0.3"),
    ("dall-e-2", {"n": 10}, "1"),
    ("dall-e-3", {}, "0.2"),
    ("dall-e-3", {"quality": "auto"}, "0.2"),
    ("dall-e-3", {"quality": None}, "0.2"),
    ("dall-e-3", {"size": "1792x1024"}, "0.4"),
    ("dall-e-3", {"size": "1024x1792", "quality": "standard"}, "0.4"),
    ("dall-e-3", {"quality": "hd"}, "0.4"),
    ("dall-e-3", {"size": "1024x1792", "quality": "hd", "style": "natural"}, "0.6"),
    ("nano-banana", {"size": "1792x1024", "n": 5}, "0.14"),
    ("nano-banana-2", {"size": "2048x2048"}, "0.28"),
    ("nano-banana-pro", {}, "0.35"),
]


@pytest.mark.claim("XH-PRICE-1", "XH-PRICE-2", "XH-PRICE-3", "XH-N-1", "XH-QUAL-1", "XH-SIZE-1", "XH-SIZE-4")
@pytest.mark.parametrize(("model", "fields", "price"), CHARGES)
def test_a_call_is_charged_its_price(xhuoapi: Caller, model: str, fields: dict[str, Any], price: str) -> None:
    assert xhuoapi.generate(model=model, **fields).status_code == 200
    assert xhuoapi.captured() == Decimal(price)


@pytest.mark.claim("XH-EDIT-1")
@pytest.mark.parametrize(("model", "fields", "price"), [charge for charge in CHARGES if None not in charge[1].values()])
def test_an_edit_costs_what_a_generation_does(xhuoapi: Caller, model: str, fields: dict[str, Any], price: str) -> None:
    assert xhuoapi.edit(model=model, image="https://example.com/a.png", **fields).status_code == 200
    assert xhuoapi.captured() == Decimal(price)


@pytest.mark.claim("XH-EDIT-1")
def test_a_multipart_edit_costs_the_same(xhuoapi: Caller) -> None:
    answer = xhuoapi.form([("image", fixture("reference.png"))], model="dall-e-2", n="3")
    assert answer.status_code == 200, answer.text
    assert xhuoapi.captured() == Decimal("0.3")


@pytest.mark.claim("XH-PRICE-4", "XH-ERR-4")
@pytest.mark.parametrize("prompt", ["[mock:fail]", "[mock:moderated]", "[mock:fail=timeout]", "[mock:status=500]"])
@pytest.mark.parametrize("mode", [{}, {"async": True}, {"callback_url": "http://127.0.0.1:9/"}])
def test_what_fails_is_not_billed(xhuoapi: Caller, prompt: str, mode: dict[str, Any]) -> None:
    xhuoapi.generate(prompt=prompt, **mode)
    xhuoapi.scene.advance(20)
    money = xhuoapi.money()
    assert xhuoapi.captured() == 0
    assert money["balance"] == money["opening"]


@pytest.mark.claim("XH-PRICE-4", "XH-PRICE-1")
def test_money_is_held_from_submission_to_the_end(xhuoapi: Caller) -> None:
    xhuoapi.generate(prompt="[mock:delay=60]", size="2048x2048", **ASYNC)
    assert (xhuoapi.money()["held"], xhuoapi.money()["captured"]) == (Decimal("0.3"), Decimal(0))
    xhuoapi.scene.advance(59.999)
    assert xhuoapi.money()["held"] == Decimal("0.3")
    xhuoapi.scene.advance(0.001)
    assert xhuoapi.captured() == Decimal("0.3")


@pytest.mark.claim("XH-BILL-1", "XH-ERR-4")
@pytest.mark.parametrize("mode", [{}, {"async": True}, {"callback_url": "http://127.0.0.1:9/"}])
def test_an_empty_balance_is_used_up_at_submission(serve: Serve, mode: dict[str, Any]) -> None:
    poor = Caller(serve(balance=Decimal("0.3")), "xhuoapi", "poor")
    assert poor.generate().status_code == 200
    assert_xhuoapi_error(poor.generate(**mode), 403, "used_up")
    assert (len(poor.tasks()), poor.captured()) == (1, Decimal("0.2"))


@pytest.mark.claim("XH-BILL-1")
def test_a_balance_is_spent_to_its_last_credit(serve: Serve) -> None:
    caller = Caller(serve(balance=Decimal("0.5")), "xhuoapi", "k")
    assert caller.money()["opening"] == Decimal("0.5")
    assert caller.generate().status_code == 200
    assert caller.generate(size="2048x2048").status_code == 200
    assert caller.money()["balance"] == 0


@pytest.mark.claim("XH-LAT-1", "XH-LAT-2")
@pytest.mark.parametrize(
    ("size", "shortest", "longest"),
    [
        *[("1024x1024", 60, 90), ("2048x2048", 60, 90), ("3840x1088", 60, 90), ("16x16", 60, 90)],
        *[("2064x2048", 240, 480), ("3840x1104", 240, 480)],
        *((size, 240, 480) for size in FOUR_K),
    ],
)
def test_documented_durations(serve: Serve, size: str, shortest: float, longest: float) -> None:
    caller = Caller(serve(latency="documented"), "xhuoapi", "k")
    for _ in range(20):
        caller.generate(size=size, **ASYNC)
    durations = [task["due"] - task["created"] for task in caller.tasks()]
    assert all(shortest <= duration <= longest for duration in durations)
    assert len(set(durations)) > 10


@pytest.mark.claim("XH-MODEL-1")
@pytest.mark.parametrize("model", [*GPT, *NANO, "dall-e-2", "dall-e-3"])
def test_every_model_has_a_documented_duration(serve: Serve, model: str) -> None:
    caller = Caller(serve(latency="documented"), "xhuoapi", "k")
    assert caller.generate(model=model, **ASYNC).status_code == 200
    assert caller.tasks()[0]["due"] > caller.tasks()[0]["created"]
