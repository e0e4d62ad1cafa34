"""xhuoapi: the error shape, every code, and that errors are free."""

from typing import Any

import pytest

from ..client import Client
from ..exchange import Call
from ..marks import claim, mock_only
from ..mock import Control
from ..pricing import price_of
from ..shapes import begins_with
from . import api

REFUSALS = {
    "-mock-401": (401, "invalid_token"),
    "-mock-402": (403, "used_up"),
    "-mock-429": (429, "too_many_requests"),
    "-mock-500": (500, "api_error"),
}


@claim("XH-ERR-1", "XH-ERR-2", "XH-ERR-4", "XH-ERR-5", "XH-PRICE-4")
@mock_only
@pytest.mark.parametrize(
    "more", [{}, {"async": True}, {"callback_url": "https://hooks.example.com/h"}], ids=["sync", "async", "callback"]
)
@pytest.mark.parametrize("ending", REFUSALS)
def test_refusals_by_key(client: Client, ending: str, more: dict[str, Any]) -> None:
    status, code = REFUSALS[ending]
    answer = api.generate(client.with_key(f"{client.key}{ending}"), **more)
    assert (answer.status, answer.json()) == (status, api.error(code))
    assert ("retry-after" in answer.headers) == (status == 429)


@claim("XH-ERR-1", "XH-ERR-2", "XH-ERR-5", "XH-PRICE-4")
@mock_only
def test_a_failed_generation(client: Client, control: Control) -> None:
    answer = api.generate(client, prompt="[mock:fail]")
    assert (answer.status, answer.json()) == (500, api.error("api_error", begins_with("")))
    assert control.spent() == 0


@claim("XH-ERR-4", "XH-PRICE-4")
@mock_only
def test_moderation(client: Client, control: Control) -> None:
    answer = api.generate(client, prompt="[mock:moderated]")
    assert (answer.status, answer.json()) == (403, api.error("forbidden"))
    assert control.spent() == 0


@claim("XH-ERR-4", "XH-ERR-5", "XH-PRICE-4")
@mock_only
def test_a_timeout(client: Client, control: Control) -> None:
    answer = api.generate(client, prompt="[mock:fail=timeout]")
    assert (answer.status, answer.json()) == (504, api.error("timeout"))
    assert control.spent() == 0


@claim("XH-ERR-4", "XH-ERR-5")
@mock_only
def test_a_body_that_is_too_large(client: Client) -> None:
    large = b'{"model": "gpt-image-2", "prompt": "' + b"a" * 33 * 1024 * 1024 + b'"}'
    answer = client.post_raw(api.GENERATIONS, large)
    assert (answer.status, answer.json()) == (413, api.error("request_too_large"))


@claim("XH-ERR-3", "XH-ERR-5", "XH-ERR-1")
@pytest.mark.parametrize("path", ["/v1/openai/images/nothing", "/v1/openai/nothing"])
def test_an_unknown_path(client: Client, path: str) -> None:
    answer = client.post(path, api.body())
    assert (answer.status, answer.json()) == (404, api.error("no_api"))


@claim("XH-ERR-3")
@mock_only
def test_a_wrong_method(client: Client) -> None:
    answer = client.get(api.GENERATIONS)
    assert (answer.status, answer.json()) == (405, api.error("no_api"))


@claim("XH-ERR-1", "XH-ERR-2", "XH-ERR-3")
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"', b'{"model": "gpt-image-2", "prompt": 1}'])
def test_malformed_bodies(client: Client, content: bytes) -> None:
    api.assert_refused(client, client.post_raw(api.GENERATIONS, content), "token_mismatched")


@claim("XH-ERR-3")
@mock_only
def test_another_content_type(client: Client) -> None:
    answer = client.send(Call("POST", api.GENERATIONS, content=b"model=x", headers={"Content-Type": "text/plain"}))
    api.assert_refused(client, answer, "token_mismatched")


@claim("XH-PRICE-4")
@mock_only
@pytest.mark.parametrize("more", [{"size": "800x600"}, {"size": "x"}, {"model": "x"}])
def test_refused_requests_are_free(client: Client, control: Control, more: dict[str, str]) -> None:
    assert api.generate(client, **more).status == 400
    assert control.spent() == 0


@claim("XH-PRICE-4")
@mock_only
@pytest.mark.parametrize("directive", ["[mock:fail]", "[mock:moderated]", "[mock:fail=timeout]"])
def test_failed_async_calls_are_free(client: Client, control: Control, directive: str) -> None:
    record = api.ended(client, api.submitted(client, prompt=directive))
    assert record["response"]["success"] is False
    assert control.spent() == 0


@claim("XH-PRICE-2", "XH-PRICE-3")
@mock_only
@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("nano-banana", "0.14"),
        ("nano-banana-2", "0.28"),
        ("nano-banana-pro", "0.35"),
        ("gpt-image-2", "0.2"),
        ("gpt-image-1", "0.2"),
        ("gpt-image-1.5", "0.55"),
        ("dall-e-2", "0.1"),
        ("dall-e-3", "0.2"),
    ],
)
def test_standard_prices(client: Client, control: Control, model: str, price: str) -> None:
    api.generated(client, model=model)
    assert str(control.spent().normalize()) == price


@claim("XH-BILL-1")
@mock_only
def test_a_new_key_has_free_credits(client: Client, control: Control) -> None:
    account = control.account()
    assert account["balance"] == account["opening"] != "0.00"
    assert api.generate(client).status == 200


@claim("XH-BILL-1", "XH-ERR-4")
@mock_only
@pytest.mark.parametrize(
    "more", [{"async": True}, {"callback_url": "https://hooks.example.com/h"}], ids=["async", "callback"]
)
def test_a_used_up_balance(slow_client: Client, slow_control: Control, more: dict[str, Any]) -> None:
    """The slow mock opens accounts with 3 credits: five calls at 0.55, and no sixth."""
    for _ in range(5):
        assert api.generate(slow_client, model="gpt-image-1.5", **more).status == 200
    answer = api.generate(slow_client, model="gpt-image-1.5", **more)
    assert (answer.status, answer.json()) == (403, api.error("used_up"))
    assert slow_control.spent() == 5 * price_of("xhuoapi", {"model": "gpt-image-1.5"})
