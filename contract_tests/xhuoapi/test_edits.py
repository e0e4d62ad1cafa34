"""xhuoapi: edits (XH-EDIT-1), in JSON and multipart."""

from typing import Any

import pytest

from ..client import Client
from ..exchange import Answer, File
from ..library import picture, sizes
from ..marks import VARIANT, claim, mock_only, paid
from ..mock import Control
from ..pricing import price_of
from ..shapes import is_uuid
from . import api

URL = "https://example.com/photo.png"
MOST = sizes()["xhuoapi"]["edits"]["most_images"]


def _files(field: str, count: int) -> list[File]:
    return [(field, f"{number}.png", picture("reference.png"), "image/png") for number in range(count)]


def _form(client: Client, files: list[File], **more: Any) -> Answer:
    return client.post_form(api.EDITS, api.body(**more), files)


@claim("XH-EDIT-1")
@mock_only
@pytest.mark.parametrize("model", api.MODELS)
def test_an_edit_costs_and_answers_as_a_generation(client: Client, control: Control, model: str) -> None:
    answer = client.post(api.EDITS, api.body(model=model, image=URL))
    assert (answer.status, answer.json()) == (200, api.edited(model))
    assert control.spent() == price_of("xhuoapi", {"model": model})


@claim("XH-EDIT-1")
@paid(model="gpt-image-2")
def test_an_edit_of_an_uploaded_file(client: Client) -> None:
    answer = _form(client, _files("image", 1))
    assert (answer.status, answer.json()) == (200, api.edited("gpt-image-2"))


@claim("XH-EDIT-1")
@paid()
def test_the_default_model_and_size(client: Client) -> None:
    answer = client.post_form(api.EDITS, {"prompt": api.PROMPT}, _files("image", 1))
    assert (answer.status, answer.json()) == (200, api.pictures("dall-e-3"))
    assert client.picture(answer.json()["data"][0]["url"]).size == "1024x1024"


@claim("XH-EDIT-1")
@mock_only
def test_the_default_model_and_size_by_their_price(client: Client, control: Control) -> None:
    assert client.post(api.EDITS, {"prompt": api.PROMPT, "image": URL}).status == 200
    assert control.spent() == price_of("xhuoapi", {"model": "dall-e-3"})


@claim("XH-EDIT-1")
@paid(model="gpt-image-2", priority=VARIANT)
@pytest.mark.parametrize("field", ["image", "image[]"])
def test_sixteen_files(client: Client, field: str) -> None:
    assert _form(client, _files(field, MOST)).status == 200


@claim("XH-EDIT-1")
@pytest.mark.parametrize("field", ["image", "image[]"])
def test_seventeen_files(client: Client, field: str) -> None:
    api.assert_refused(client, _form(client, _files(field, MOST + 1)), "token_mismatched")


@claim("XH-EDIT-1")
@paid(model="gpt-image-2", priority=VARIANT)
def test_a_mask(client: Client) -> None:
    mask = ("mask", "mask.png", picture("mask.png"), "image/png")
    assert _form(client, [*_files("image", 1), mask]).status == 200


@claim("XH-EDIT-1")
@mock_only
def test_sixteen_urls(client: Client) -> None:
    assert client.post(api.EDITS, api.body(image=[URL] * MOST)).status == 200


@claim("XH-EDIT-1")
def test_seventeen_urls(client: Client) -> None:
    api.assert_refused(client, client.post(api.EDITS, api.body(image=[URL] * (MOST + 1))), "token_mismatched")


@claim("XH-EDIT-1")
def test_image_and_prompt_are_required(client: Client) -> None:
    api.assert_refused(client, client.post(api.EDITS, api.body()), "token_mismatched")
    answer = client.post(api.EDITS, {"model": "gpt-image-2", "image": URL})
    api.assert_refused(client, answer, "token_mismatched")


@claim("XH-EDIT-1", "XH-ASYNC-1")
@paid(model="gpt-image-2", priority=VARIANT)
@pytest.mark.parametrize("text", ["False", "false"])
def test_a_form_that_is_not_async(client: Client, text: str) -> None:
    answer = _form(client, _files("image", 1), **{"async": text})
    assert (answer.status, answer.json()) == (200, api.edited("gpt-image-2"))


@claim("XH-ASYNC-1")
@mock_only
@pytest.mark.parametrize("text", ["True", "true"])
def test_a_form_that_is_async(client: Client, text: str) -> None:
    answer = _form(client, _files("image", 1), **{"async": text})
    assert (answer.status, answer.json()) == (200, {"task_id": is_uuid()})


@claim("XH-EDIT-1")
@mock_only
@pytest.mark.parametrize("model", api.NANO)
def test_nano_banana_takes_model_prompt_and_image_only(client: Client, model: str) -> None:
    answer = client.post(api.EDITS, api.body(model=model, image=URL, n="x", size="x", quality="x", response_format="x"))
    assert (answer.status, answer.json()) == (200, api.pictures(model))
