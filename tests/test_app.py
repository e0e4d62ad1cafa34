"""The composition root: settings checked in sentences, keys read from headers, mounts found."""

from decimal import Decimal
from typing import Any

import pytest
from conftest import Serve

from mockserver.app import bearer, create_app
from mockserver.settings import Settings
from support.calls import PROVIDERS, Caller


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer k", "k"),
        ("bearer k", "k"),
        ("BEARER  k ", "k"),
        ("Bearer a b", ""),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("k", ""),
        ("Basic k", ""),
        ("Bearer\tk", ""),
        ("Bearer a\u00a0b", ""),
        ("", ""),
    ],
)
def test_bearer(header: str, token: str) -> None:
    assert bearer(header) == token


WRONG: dict[str, dict[str, Any]] = {
    "provider-of-price": {"prices": {"nobody": {"x": "1"}}},
    "price-name": {"prices": {"evolink": {"nothing": "1"}}},
    "price-negative": {"prices": {"evolink": {"gpt-image-2-beta": "-1"}}},
    "price-text": {"prices": {"evolink": {"gpt-image-2-beta": "much"}}},
    "latency-name": {"latencies": {"icodeeasy": {"nothing": (1, 2)}}},
    "latency": {"latency": "soon"},
    "balance-negative": {"balance": Decimal(-1)},
    "balance-too-fine": {"balance": Decimal("0.00001")},
    "balance-nan": {"balance": Decimal("NaN")},
    "route": {"callback_routes": ("nonsense",)},
}


@pytest.mark.parametrize("settings", WRONG.values(), ids=WRONG)
def test_settings_that_make_no_sense(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"[a-z]{3}") as error:
        create_app(Settings(**settings))
    assert "\n" not in str(error.value)


def test_the_mounts() -> None:
    assert list(create_app().mounts) == list(PROVIDERS)


def test_only_the_keys_of_the_settings(serve: Serve) -> None:
    scene = serve(api_keys=("k1", "k2"))
    assert Caller(scene, "evolink", "k1").generate().status_code == 200
    assert Caller(scene, "evolink", "k3").generate().status_code == 401
    assert Caller(scene, "evolink", "k1").get("/v1/credits", headers={"Authorization": "bearer k2"}).status_code == 200


def test_a_smaller_body_limit(serve: Serve) -> None:
    caller = Caller(serve(max_body=100), "evolink", "k")
    assert caller.generate(prompt="x").status_code == 200
    assert caller.generate(prompt="x" * 100).status_code == 413
