"""icodeeasy: the error shape, failures, and that neither costs anything."""

import pytest

from ..client import Client
from ..marks import claim, mock_only
from ..mock import Control
from ..pricing import price_of
from . import api

REFUSALS = {
    "-mock-401": (401, "authentication_error"),
    "-mock-402": (402, "payment_required"),
    "-mock-429": (429, "rate_limit_error"),
    "-mock-500": (500, "server_error"),
}


@claim("IC-ERR-1", "IC-BILL-2")
@mock_only
@pytest.mark.parametrize("query", [{}, {"async": "1"}], ids=["sync", "async"])
@pytest.mark.parametrize("ending", REFUSALS)
def test_refusals_by_key(client: Client, ending: str, query: dict[str, str]) -> None:
    status, kind = REFUSALS[ending]
    answer = client.with_key(f"{client.key}{ending}").post(api.GENERATIONS, api.body(), **query)
    assert (answer.status, answer.json()) == (status, api.error(kind))
    assert ("retry-after" in answer.headers) == (status == 429)


@claim("IC-ERR-1", "IC-ERR-2")
@mock_only
def test_a_service_that_is_unavailable(client: Client) -> None:
    answer = api.generate(client, prompt="[mock:status=503]")
    assert (answer.status, answer.json()) == (503, api.error("server_error"))


@claim("IC-ERR-2", "IC-BILL-2")
@mock_only
def test_a_failed_generation(client: Client, control: Control) -> None:
    answer = api.generate(client, prompt="[mock:fail]")
    assert (answer.status, answer.json()) == (500, api.error("server_error"))
    assert control.spent() == 0


@claim("IC-ERR-2", "IC-BILL-2")
@mock_only
def test_refused_content(client: Client, control: Control) -> None:
    api.assert_invalid(api.generate(client, prompt="[mock:moderated]"))
    assert control.spent() == 0


@claim("IC-BILL-2")
@mock_only
def test_a_refused_request_is_free(client: Client, control: Control) -> None:
    api.generate(client, size="7:5")
    assert control.spent() == 0


@claim("IC-BILL-2", "IC-ERR-1")
@mock_only
def test_a_balance_that_does_not_cover_it(slow_client: Client, slow_control: Control) -> None:
    """The slow mock opens accounts with 3 of each unit: ten pictures at 0.40 are too dear, and nothing runs."""
    for query in ({}, {"async": "1"}):
        answer = slow_client.post(api.GENERATIONS, api.body(n=10, quality="high"), **query)
        assert (answer.status, answer.json()) == (402, api.error("payment_required"))
    assert slow_control.tasks() == []
    assert slow_control.spent() == 0


@claim("IC-BILL-2")
@mock_only
@pytest.mark.parametrize("limit", ["balance", "quota"])
def test_a_balance_or_a_monthly_quota_is_used_up_to_the_last(client: Client, control: Control, limit: str) -> None:
    control.set_account(**{limit: "0.39"})
    assert api.generate(client, n=2).status == 402
    control.set_account(**{limit: "0.40"})
    assert api.generate(client, n=2).status == 200
    assert api.generate(client, quality="low").status == 402
    assert control.spent() == price_of("icodeeasy", {"n": 2})


@claim("IC-BILL-3")
@mock_only
def test_the_usage_record(client: Client, control: Control) -> None:
    found = api.generated(client, n=2, quality="high")
    record = control.account()["usage"][0]
    assert record["model"] == "gpt-image-2"
    assert record["cost_breakdown"].keys() == {"image_count", "image_cost_rmb", "image_urls"}
    assert record["cost_breakdown"]["image_count"] == 2
    assert record["cost_breakdown"]["image_urls"] == [one["url"] for one in found["data"]]
    each = price_of("icodeeasy", {"quality": "high"})
    assert float(record["cost_breakdown"]["image_cost_rmb"]) in (float(each), float(each * 2))
