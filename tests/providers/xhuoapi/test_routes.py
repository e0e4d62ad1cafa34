"""xhuoapi: edits in both body formats (XH-EDIT-1)."""

from base64 import b64encode
from typing import Any

import pytest
from dirty_equals import IsFloat, IsStr, IsUUID

from support.calls import ASYNC, Caller, fixture, read_picture
from support.errors import assert_xhuoapi_error

from .test_models import MODELS, NANO

URL = "https://example.com/a.png"
PNG, JPEG, WEBP = fixture("reference.png"), fixture("reference.jpg"), fixture("reference.webp")


def refused(caller: Caller, answer: Any, message: str, code: str = "token_mismatched") -> None:
    assert_xhuoapi_error(answer, 400, code, message)
    assert caller.untouched()


@pytest.mark.claim("XH-EDIT-1")
def test_a_gpt_image_2_edit_adds_trace_id_and_elapsed(xhuoapi: Caller) -> None:
    body = xhuoapi.edit(image=URL, prompt="a fox").json()
    url = f"{xhuoapi.scene.root}/xhuoapi/gpt-image/{body['task_id']}_0.png"
    assert body == {
        "success": True,
        "task_id": IsUUID(4),
        "created": int(xhuoapi.scene.now()),
        "data": [{"revised_prompt": "a fox", "url": url}],
        "trace_id": IsUUID(4),
        "elapsed": IsFloat(ge=0),
    }


@pytest.mark.claim("XH-EDIT-1")
@pytest.mark.parametrize("model", [model for model in MODELS if model != "gpt-image-2"])
def test_another_edit_answers_as_the_generation_does(xhuoapi: Caller, model: str) -> None:
    edit, generation = xhuoapi.edit(model=model, image=URL).json(), xhuoapi.generate(model=model).json()
    assert edit.keys() == generation.keys()
    assert [image.keys() for image in edit["data"]] == [image.keys() for image in generation["data"]]


@pytest.mark.claim("XH-EDIT-1", "XH-SIZE-8")
def test_an_edits_model_is_dalle3_and_its_size_1024x1024_by_default(xhuoapi: Caller) -> None:
    answer = xhuoapi.edit(without=["model"], image=URL)
    assert answer.json() == {"created": int(xhuoapi.scene.now()), "data": [{"revised_prompt": IsStr(), "url": IsStr()}]}
    task = xhuoapi.tasks()[0]
    assert (task["model"], task["size"]) == ("dall-e-3", "1024x1024")


@pytest.mark.claim("XH-EDIT-1", "ALL-TYPE-1")
def test_a_null_model_is_the_default_too(xhuoapi: Caller) -> None:
    assert xhuoapi.edit(model=None, image=URL).status_code == 200
    assert xhuoapi.tasks()[0]["model"] == "dall-e-3"


@pytest.mark.claim("XH-EDIT-1")
@pytest.mark.parametrize("image", [None, [], "omitted"])
def test_an_edit_needs_an_image(xhuoapi: Caller, image: Any) -> None:
    refused(xhuoapi, xhuoapi.edit(**({} if image == "omitted" else {"image": image})), "image")


@pytest.mark.claim("XH-EDIT-1")
def test_a_multipart_edit_needs_an_image(xhuoapi: Caller) -> None:
    refused(xhuoapi, xhuoapi.form([("mask", fixture("mask.png"))]), "image")
    refused(xhuoapi, xhuoapi.form([("picture", PNG)]), "image")


@pytest.mark.claim("XH-EDIT-1")
@pytest.mark.parametrize("prompt", [None, "", "  "])
def test_an_edit_needs_a_prompt(xhuoapi: Caller, prompt: str | None) -> None:
    refused(xhuoapi, xhuoapi.edit(image=URL, prompt=prompt), "prompt")
    refused(xhuoapi, xhuoapi.form([("image", PNG)], prompt=prompt), "prompt")


@pytest.mark.claim("XH-EDIT-1")
@pytest.mark.parametrize("image", [URL, "http://example.com/a", [URL], [URL] * 16, "data"])
def test_a_json_edit_takes_a_url_or_up_to_sixteen(xhuoapi: Caller, image: Any) -> None:
    image = "data:image/png;base64," + b64encode(PNG).decode() if image == "data" else image
    answer = xhuoapi.edit(image=image)
    assert answer.status_code == 200, answer.text
    assert len(xhuoapi.requests()[0]["pictures"]) == (1 if isinstance(image, str) else len(image))


@pytest.mark.claim("XH-EDIT-1", "ALL-TYPE-1")
@pytest.mark.parametrize(
    "image",
    [
        [URL] * 17,
        5,
        {"url": URL},
        [5],
        [None],
        [[URL]],
        True,
        "nowhere",
        "ftp://example.com/a.png",
        "https://",
        "data:text/plain;base64,AAAA",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,AAAA",
    ],
    ids=lambda image: str(image)[:40],
)
def test_an_image_that_is_none_is_refused(xhuoapi: Caller, image: Any) -> None:
    refused(xhuoapi, xhuoapi.edit(image=image), "image")


@pytest.mark.claim("XH-EDIT-1", "CLIENT-FORM-1")
@pytest.mark.parametrize("field", ["image", "image[]"])
@pytest.mark.parametrize("count", [1, 2, 16])
def test_a_multipart_edit_takes_image_repeated_or_in_brackets(xhuoapi: Caller, field: str, count: int) -> None:
    answer = xhuoapi.form([(field, data) for data in [PNG, JPEG, WEBP, PNG] * 4][:count])
    assert answer.status_code == 200, answer.text
    pictures = xhuoapi.requests()[0]["pictures"]
    assert len(pictures) == count
    assert [picture["type"] for picture in pictures[:2]] == ["png", "jpeg"][:count]


@pytest.mark.claim("XH-EDIT-1")
@pytest.mark.parametrize("fields", [["image"] * 17, ["image[]"] * 17, ["image"] * 8 + ["image[]"] * 9])
def test_seventeen_files_are_too_many(xhuoapi: Caller, fields: list[str]) -> None:
    refused(xhuoapi, xhuoapi.form([(field, PNG) for field in fields]), "16")


@pytest.mark.claim("XH-EDIT-1")
def test_a_mask_is_taken_beside_sixteen_images(xhuoapi: Caller) -> None:
    files = [*(("image[]", PNG) for _ in range(16)), ("mask", fixture("mask.png"))]
    answer = xhuoapi.form(files, model="dall-e-2")
    assert answer.status_code == 200, answer.text
    assert len(xhuoapi.requests()[0]["pictures"]) == 17


@pytest.mark.claim("XH-EDIT-1")
@pytest.mark.parametrize("data", [b"", b"no picture", fixture("truncated.png")])
@pytest.mark.parametrize("field", ["image", "image[]", "mask"])
def test_a_file_that_is_no_picture_is_refused(xhuoapi: Caller, field: str, data: bytes) -> None:
    files = [(field, ("a.png", data, "image/png"))] + ([("image", PNG)] if field == "mask" else [])
    refused(xhuoapi, xhuoapi.form(files), "")


@pytest.mark.claim("CLIENT-FORM-1", "XH-EDIT-1")
@pytest.mark.parametrize("name", ["upload", "blob", "a.txt", "사진.png"])
@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "image/gif"])
def test_the_type_of_a_file_is_told_by_its_bytes(xhuoapi: Caller, name: str, content_type: str) -> None:
    answer = xhuoapi.form([("image", (name, WEBP, content_type))])
    assert answer.status_code == 200, answer.text
    (picture,) = xhuoapi.requests()[0]["pictures"]
    assert (picture["type"], picture["width"], picture["height"]) == ("webp", 24, 16)


@pytest.mark.claim("XH-ASYNC-1", "CLIENT-FORM-1", "ALL-TYPE-1")
@pytest.mark.parametrize(("text", "waits"), [("False", True), ("false", True), ("True", False), ("true", False)])
def test_booleans_of_a_form_are_text(xhuoapi: Caller, text: str, waits: bool) -> None:
    answer = xhuoapi.form([("image", PNG)], **{"async": text})
    assert ("data" in answer.json()) is waits, answer.text


@pytest.mark.claim("CLIENT-FORM-1", "ALL-TYPE-1")
def test_numbers_of_a_form_are_text(xhuoapi: Caller) -> None:
    answer = xhuoapi.form([("image", PNG)], model="dall-e-2", n="3", size="256x256", response_format="url")
    assert len(answer.json()["data"]) == 3
    fine = xhuoapi.form([("image", PNG)], output_compression="50", partial_images="3", background="opaque")
    assert fine.status_code == 200, fine.text


@pytest.mark.claim("ALL-TYPE-1", "CLIENT-FORM-1")
@pytest.mark.parametrize(
    "fields",
    [
        {"model": "dall-e-2", "n": "two"},
        {"model": "dall-e-2", "n": "11"},
        {"async": "perhaps"},
        {"output_compression": "101"},
        {"output_format": "PNG"},
        {"size": "7x"},
        {"callback_url": "nowhere"},
    ],
)
def test_a_wrong_form_field_is_refused(xhuoapi: Caller, fields: dict[str, str]) -> None:
    refused(xhuoapi, xhuoapi.form([("image", PNG)], **fields), list(fields)[-1])


@pytest.mark.claim("XH-EDIT-1", "XH-ERR-3")
def test_an_unknown_model_of_an_edit_is_not_implemented(xhuoapi: Caller) -> None:
    refused(xhuoapi, xhuoapi.edit(model="gpt-image-9", image=URL), "", "api_not_implemented")
    refused(xhuoapi, xhuoapi.form([("image", PNG)], model="gpt-image-9"), "", "api_not_implemented")


@pytest.mark.claim("XH-EDIT-1", "XH-SIZE-9")
def test_an_edits_size_keeps_the_rules_of_its_model(xhuoapi: Caller) -> None:
    refused(xhuoapi, xhuoapi.edit(image=URL, size="800x600"), "multiples of 16", "bad_request")
    refused(xhuoapi, xhuoapi.edit(image=URL, size="7x"), "size")
    answer = xhuoapi.edit(image=URL, size="800x600", **ASYNC)
    assert answer.json() == {"task_id": IsUUID(4)}


@pytest.mark.claim("XH-EDIT-1")
@pytest.mark.parametrize("model", NANO)
@pytest.mark.parametrize("fields", [{"size": "1792x1024"}, {"n": "x", "quality": 5, "response_format": "b64_json"}])
def test_a_nano_edit_knows_model_prompt_and_image_only(xhuoapi: Caller, model: str, fields: dict[str, Any]) -> None:
    (image,) = xhuoapi.edit(model=model, image=URL, **fields).json()["data"]
    assert read_picture(xhuoapi.scene.http, image["url"]) == (1024, 1024)


@pytest.mark.claim("XH-EDIT-1", "XH-CB-1")
def test_an_edit_may_be_called_back(xhuoapi: Caller) -> None:
    assert xhuoapi.edit(image=URL, callback_url="http://127.0.0.1:9/").json() == {"task_id": IsUUID(4)}
    form = xhuoapi.form([("image", PNG)], callback_url="http://127.0.0.1:9/")
    assert form.json() == {"task_id": IsUUID(4)}
