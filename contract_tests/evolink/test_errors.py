"""evolink: the error shape and each documented error."""

import pytest

from ..client import Client
from ..marks import claim, mock_only
from . import api

REFUSALS = {
    "-mock-401": (401, "unauthorized", "authentication_error", "Invalid or expired token"),
    "-mock-402": (402, "insufficient_quota", "insufficient_quota", ""),
    "-mock-429": (429, "rate_limit_exceeded", "rate_limit_error", ""),
    "-mock-500": (500, "internal_error", "api_error", ""),
}


@claim("EV-ERR-1")
@mock_only
@pytest.mark.parametrize("ending", REFUSALS)
def test_refusals_by_key(client: Client, ending: str) -> None:
    status, code, kind, message = REFUSALS[ending]
    answer = api.submit(client.with_key(f"{client.key}{ending}"))
    assert (answer.status, answer.json()) == (status, api.error(client, code, kind, message))
    assert ("retry-after" in answer.headers) == (status == 429)


@claim("EV-ERR-1")
@mock_only
def test_a_model_that_a_key_is_barred_from(client: Client) -> None:
    answer = api.submit(client, prompt="[mock:status=403]")
    expected = api.error(client, "model_access_denied", "invalid_request_error", "")
    assert (answer.status, answer.json()) == (403, expected)


@claim("EV-ERR-1")
@pytest.mark.parametrize("more", [{"size": "16:9"}, {"model": "x"}, {"callback_url": "http://example.com/hook"}])
def test_invalid_parameters(client: Client, more: dict[str, str]) -> None:
    api.assert_invalid(client, api.submit(client, **more), *more)
