"""evolink: the answers to submissions, and which requests are accepted."""

import re
from typing import Any

import pytest
from dirty_equals import IsInt, IsStr
from hypothesis import given

from ..client import Client
from ..exchange import Call
from ..library import exchanges
from ..marks import CORE, VARIANT, claim, mock_only, paid
from ..mock import Control
from ..pictures import Picture
from ..pricing import price_of
from ..shapes import assert_same_shape, is_unix
from ..strategies import evolink_faults, evolink_requests, long_prompts
from . import api

PRICE = price_of("evolink", {})

EXAMPLE = exchanges("evolink")["generation"]


@claim("EV-EP-1", "EV-TASK-1", "EV-LAT-1")
@paid(priority=CORE)
def test_documented_example(client: Client) -> None:
    answer = client.post(EXAMPLE["request"]["path"], EXAMPLE["request"]["body"])
    found = answer.json()
    assert (answer.status, found) == (200, _submission(client))
    assert_same_shape(EXAMPLE["response"]["body"], found)
    assert re.fullmatch(api.TASK_ID, found["id"])[1] == str(found["created"])  # type: ignore[index]


def _submission(client: Client) -> dict[str, Any]:
    ruled = client.is_mock
    return {
        "created": is_unix(),
        "id": IsStr(regex=api.TASK_ID),
        "model": api.MODEL,
        "object": "image.generation.task",
        "progress": 0,
        "status": "pending",
        "task_info": {"can_cancel": True, "estimated_time": 100 if ruled else IsInt(ge=0)},
        "type": "image",
        "usage": {
            "billing_rule": "per_call" if ruled else IsStr(regex="per_call|per_token|per_second"),
            "credits_reserved": 2.5,
            "user_group": "default" if ruled else IsStr(),
        },
    }


@claim("EV-EP-1", "EV-REF-1", "EV-SIZE-1", "EV-CB-1")
@mock_only
def test_documented_fields_are_taken_together(client: Client) -> None:
    example = exchanges("evolink")["all-fields"]
    answer = client.post(example["request"]["path"], example["request"]["body"])
    assert (answer.status, answer.json()) == (200, _submission(client))


@claim("EV-AUTH-1")
@pytest.mark.parametrize("header", [None, "Bearer", "Basic dXNlcjpwYXNz", "my-key"])
@pytest.mark.parametrize(("method", "path"), [("POST", api.PATH), ("GET", "/v1/credits")])
def test_calls_without_a_key(client: Client, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = client.send(
        Call(method, path, headers=headers, body=api.body() if method == "POST" else None), authorize=False
    )
    expected = api.error(client, "unauthorized", "authentication_error", "Invalid or expired token")
    assert (answer.status, api.refusal(client, answer)) == (401, expected)


@claim("EV-AUTH-1")
def test_an_unknown_key(client: Client) -> None:
    answer = api.submit(client.with_key("sk-unknown-mock-401"))
    expected = api.error(client, "unauthorized", "authentication_error", "Invalid or expired token")
    assert (answer.status, api.refusal(client, answer)) == (401, expected)


@claim("EV-MODEL-1")
@pytest.mark.parametrize("model", [None, "gpt-image-2", "gpt-image-2-beta2", "GPT-IMAGE-2-BETA", ""])
def test_other_models(client: Client, model: str | None) -> None:
    if model is None and not client.is_mock:
        pytest.skip("the document calls model both required and defaulted")
    api.assert_invalid(client, api.submit(client, model=model), "model")


@claim("EV-PROMPT-1")
def test_prompt_is_required(client: Client) -> None:
    api.assert_invalid(client, client.post(api.PATH, {"model": api.MODEL}), "prompt")


@claim("EV-PROMPT-1")
@paid(priority=VARIANT)
@pytest.mark.parametrize("letter", ["a", "한", "🌅"])
def test_prompt_of_2000_characters(client: Client, letter: str) -> None:
    if letter != "a" and not client.is_mock:
        pytest.skip("what counts as a character is a ruling of ours")
    assert api.submit(client, prompt=letter * 2000).status == 200


@claim("EV-PROMPT-1")
@given(prompt=long_prompts(2001))
def test_prompt_of_2001_characters(client: Client, prompt: str) -> None:
    api.assert_invalid(client, api.submit(client, prompt=prompt), "prompt")


@claim("EV-SIZE-1")
@paid(priority=VARIANT)
@pytest.mark.parametrize(("size", "ratio"), [("1:1", 1), ("3:2", 1.5), ("2:3", 2 / 3), ("auto", None), (None, None)])
def test_each_size(client: Client, size: str | None, ratio: float | None) -> None:
    picture: Picture = client.picture(api.completed(client, size=size)["results"][0])
    assert ratio is None or picture.ratio == pytest.approx(ratio, rel=0.02)


@claim("EV-SIZE-1")
@pytest.mark.parametrize("size", ["16:9", "4:3", "1024x1024", "1536x1024", "1:1 ", "AUTO", "2:2", ""])
def test_other_sizes(client: Client, size: str) -> None:
    api.assert_invalid(client, api.submit(client, size=size), "size")


@claim("EV-REF-1")
@paid(priority=VARIANT)
@pytest.mark.parametrize("name", ["a.jpeg", "a.jpg", "a.png", "a.webp", "a.png?x=1.gif", "download/17"])
def test_references(client: Client, name: str) -> None:
    assert api.submit(client, image_urls=[f"https://example.com/{name}"]).status == 200


@claim("EV-REF-1")
@pytest.mark.parametrize("urls", ["https://example.com/a.png", [1], ["not a url"], {"a": 1}])
def test_what_is_no_list_of_references(client: Client, urls: Any) -> None:
    answer = api.submit(client, image_urls=urls)
    expected = api.error(client, "invalid_request", "invalid_request_error", "Invalid request parameters")
    expected["error"].pop("param", None)
    found = answer.json()
    found["error"].pop("param", None)
    assert (answer.status, found) == (400, expected)


@claim("EV-REF-2")
@mock_only
def test_sixteen_references(client: Client) -> None:
    assert api.submit(client, image_urls=["https://example.com/a.png"] * 16).status == 200


@claim("EV-REF-2")
def test_seventeen_references(client: Client) -> None:
    api.assert_invalid(client, api.submit(client, image_urls=["https://example.com/a.png"] * 17), "image_urls")


@claim("EV-EP-1", "EV-BILL-1", "EV-SIZE-1")
@mock_only
@given(request=evolink_requests())
def test_valid_requests_are_accepted(client: Client, request: dict[str, Any]) -> None:
    answer = client.post(api.PATH, request)
    assert (answer.status, answer.json()) == (200, _submission(client))


@claim("EV-ERR-1", "EV-SIZE-1", "EV-MODEL-1", "EV-PROMPT-1", "EV-CB-1")
@given(fault=evolink_faults())
def test_invalid_requests_are_refused(client: Client, fault: dict[str, Any]) -> None:
    api.assert_invalid(client, api.submit(client, **fault), *fault)


@claim("EV-BILL-1")
@mock_only
def test_credits_are_held_then_charged(client: Client, control: Control) -> None:
    task_id = api.submitted(client, prompt="[mock:delay=100]")
    assert control.held() == PRICE
    assert control.captured() == 0
    control.advance(100)
    assert control.held() == 0
    assert control.captured() == PRICE
    assert control.task(task_id)["status"] == "completed"


@claim("EV-BILL-1")
@mock_only
@pytest.mark.parametrize("directive", ["[mock:fail]", "[mock:moderated]", "[mock:fail=generation_timeout]"])
def test_failed_tasks_are_free(client: Client, control: Control, directive: str) -> None:
    assert api.ended(client, api.submitted(client, prompt=directive))["status"] == "failed"
    assert control.spent() == 0


@claim("EV-BILL-1")
@mock_only
def test_refused_requests_are_free(client: Client, control: Control) -> None:
    api.submit(client, size="16:9")
    assert control.spent() == 0
