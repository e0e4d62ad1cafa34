"""An amount that a shared store can't hold exactly is refused at every entrance; one that it can hold adds up."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.server import MockServer
from mockserver.settings import Settings
from support.stores import KINDS, store_url

LARGEST, TOO_LARGE = "900719925474.0991", "900719925474.0992"
"""2**53 - 1 and 2**53 of the minor units of evolink."""

ACCOUNT = "_mock/accounts/sk_much?provider=evolink"


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with store_url(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    """A server on the store; its price is odd in minor units."""
    settings = Settings(store=url, clock="virtual", latency="60", prices={"evolink": {"gpt-image-2-beta": "0.0003"}})
    with MockServer(settings) as mock, httpx.Client(base_url=mock.root_url) as client:
        yield client


def refused(answer: httpx.Response) -> bool:
    return answer.status_code == 400 and "minor units" in answer.json()["error"]["message"]


def money(http: httpx.Client) -> list[Decimal]:
    account = http.get(ACCOUNT).json()
    return [Decimal(str(account[part])) for part in ("opening", "balance", "held", "captured")]


def spend(http: httpx.Client) -> None:
    body, headers = {"model": "gpt-image-2-beta", "prompt": "a fox"}, {"Authorization": "Bearer sk_much"}
    http.post("evolink/v1/images/generations", json=body, headers=headers).raise_for_status()
    http.post("_mock/clock/advance", json={"seconds": 60}).raise_for_status()


@pytest.mark.parametrize("part", ["balance", "quota"])
def test_a_control_call(http: httpx.Client, part: str) -> None:
    before = money(http)
    assert refused(http.put(ACCOUNT, json={part: TOO_LARGE}))
    assert money(http) == before
    http.put(ACCOUNT, json={part: LARGEST}).raise_for_status()
    spend(http)
    opening, balance, held, captured = money(http)
    assert (opening, held, captured) == (balance + captured, Decimal(0), Decimal("0.0003"))


def test_what_an_account_has_had_in_all(http: httpx.Client) -> None:
    http.put(ACCOUNT, json={"balance": LARGEST}).raise_for_status()
    spend(http)
    before = money(http)
    assert refused(http.put(ACCOUNT, json={"balance": LARGEST}))
    assert money(http) == before


def test_a_snapshot(http: httpx.Client) -> None:
    spend(http)
    taken: dict[str, Any] = http.get("_mock/snapshot").json()
    (account,) = taken["engine"]["accounts"]
    before = money(http)
    account["opening"] += 2**53
    account["balance"] += 2**53
    assert refused(http.put("_mock/snapshot", json=taken))
    assert money(http) == before


def test_the_opening_balance(url: str) -> None:
    with pytest.raises(ValueError, match="minor units"):
        MockServer(Settings(store=url, balance=Decimal(10**12))).start()


def test_a_scenario(url: str, tmp_path: Path) -> None:
    scenario = tmp_path / "rich.toml"
    scenario.write_text(f'[[accounts]]\nprovider = "evolink"\nbalance = "{TOO_LARGE}"\n')
    with pytest.raises(ValueError, match="minor units"):
        MockServer(Settings(store=url, scenarios=(str(scenario),))).start()
