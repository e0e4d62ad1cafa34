"""The `openai` package as a client of the two providers that have its endpoints."""

import asyncio
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

import openai
import pytest

from support.calls import IMAGES, Caller, fixture, pixels, read_picture

BASES = {"xhuoapi": "/xhuoapi/v1/openai", "icodeeasy": "/icodeeasy/v1"}
MODEL = "gpt-image-2"
PNG = fixture("reference.png")


class Sdk(NamedTuple):
    caller: Caller
    client: openai.OpenAI


def options(caller: Caller) -> dict[str, Any]:
    return {"base_url": caller.scene.root + BASES[caller.provider], "api_key": caller.key, "max_retries": 0}


@pytest.fixture(params=BASES)
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    """The package's client at each provider."""
    caller: Caller = request.getfixturevalue(request.param)
    with openai.OpenAI(**options(caller)) as client:
        yield Sdk(caller, client)


@pytest.mark.claim("XH-EP-1", "XH-RESP-1", "IC-EP-1", "IC-SYNC-1", "CLIENT-URL-1")
def test_generate(sdk: Sdk) -> None:
    result = sdk.client.images.generate(model=MODEL, prompt="a fox", n=1, size="1024x1024")
    assert result.data is not None
    assert result.created == int(sdk.caller.scene.now())
    assert read_picture(sdk.caller.scene.http, str(result.data[0].url))


@pytest.mark.claim("CLIENT-EXTRA-1", "XH-ASYNC-1")
def test_extra_body(sdk: Sdk) -> None:
    result = sdk.client.images.generate(model=MODEL, prompt="a fox", extra_body={"seed": 7, "async": False, "x": 1})
    assert result.data


@pytest.mark.claim("CLIENT-HEADERS-1")
def test_the_request_id_is_on_every_answer(sdk: Sdk) -> None:
    raw = sdk.client.images.with_raw_response.generate(model=MODEL, prompt="a fox")
    assert raw.request_id == sdk.caller.requests()[0]["id"]


@pytest.mark.claim("XH-FMT-1", "XH-FMT-2")
@pytest.mark.parametrize("model", ["dall-e-3", "gpt-image-1", "gpt-image-2"])
def test_b64_json(xhuoapi: Caller, model: str) -> None:
    with openai.OpenAI(**options(xhuoapi)) as client:
        result = client.images.generate(model=model, prompt="a fox", response_format="b64_json")
    assert result.data
    assert pixels(b64decode(str(result.data[0].b64_json)))


@pytest.mark.claim("XH-RESP-2", "XH-RESP-3", "XH-N-2")
def test_the_other_families(xhuoapi: Caller) -> None:
    with openai.OpenAI(**options(xhuoapi)) as client:
        nano = client.images.generate(model="nano-banana", prompt="a fox")
        otters = client.images.generate(model="dall-e-2", prompt="otters", n=3, size="256x256")
    assert (nano.created, len(nano.data or []), len(otters.data or [])) == (0, 1, 3)


ONE_FILE = [
    pytest.param(lambda: PNG, id="bytes"),
    pytest.param(lambda: BytesIO(PNG), id="buffer"),
    pytest.param(lambda: ("a.png", PNG, "image/png"), id="tuple"),
    pytest.param(lambda: IMAGES / "reference.png", id="path"),
]


@pytest.mark.claim("CLIENT-FORM-1", "XH-EDIT-1", "IC-BODY-1")
@pytest.mark.parametrize("image", ONE_FILE)
def test_edit_of_one_file(sdk: Sdk, image: Any) -> None:
    result = sdk.client.images.edit(model=MODEL, image=image(), prompt="older", n=1, size="1536x1024")
    assert result.data
    assert sdk.caller.requests()[0]["pictures"] == [
        {"source": "upload", "type": "png", "width": 24, "height": 16, "bytes": len(PNG)}
    ]
    width, height = read_picture(sdk.caller.scene.http, str(result.data[0].url))
    assert abs(width / height - 1.5) < 0.01


@pytest.mark.claim("CLIENT-FORM-1", "XH-EDIT-1", "IC-BODY-1")
@pytest.mark.parametrize("count", [2, 16])
def test_edit_of_several_files_with_a_mask(sdk: Sdk, count: int) -> None:
    more: dict[str, Any] = {"mask": fixture("mask.png")} if sdk.caller.provider == "xhuoapi" else {}
    result = sdk.client.images.edit(model=MODEL, image=[PNG] * count, prompt="a poster", **more)
    assert result.data
    assert len(sdk.caller.requests()[0]["pictures"]) == count + len(more)


@pytest.mark.claim("XH-ASYNC-1", "CLIENT-FORM-1")
def test_edit_with_booleans_and_numbers_in_the_form(xhuoapi: Caller) -> None:
    extra = {"async": False, "output_compression": 50, "partial_images": 0}
    with openai.OpenAI(**options(xhuoapi)) as client:
        result = client.images.edit(model=MODEL, image=PNG, prompt="older", extra_body=extra)
    assert result.data


@pytest.mark.claim("XH-ASYNC-1", "CLIENT-FORM-1")
def test_edit_in_the_background(xhuoapi: Caller) -> None:
    with openai.OpenAI(**options(xhuoapi)) as client:
        result = client.images.edit(model=MODEL, image=PNG, prompt="older", extra_body={"async": True})
    assert result.model_extra == {"task_id": xhuoapi.tasks()[0]["id"]}


def error_of(caller: Caller, **fields: Any) -> openai.APIStatusError:
    with openai.OpenAI(**options(caller)) as client, pytest.raises(openai.APIStatusError) as caught:
        client.images.generate(**{"model": MODEL, "prompt": "a fox", **fields})
    return caught.value


@pytest.mark.claim("XH-AUTH-1", "IC-AUTH-1", "XH-ERR-2", "IC-ERR-1", "CLIENT-RETRY-1")
@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ("-mock-401", openai.AuthenticationError),
        ("-mock-429", openai.RateLimitError),
        ("-mock-500", openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("provider", BASES)
def test_a_keys_ending_raises_the_packages_error(
    request: pytest.FixtureRequest, provider: str, ending: str, kind: type[openai.APIStatusError]
) -> None:
    caller: Caller = request.getfixturevalue(provider)
    error = error_of(caller.keyed(caller.key + ending))
    assert type(error) is kind
    assert isinstance(error.body, dict)
    assert error.body["message"]
    assert error.request_id
    assert ("retry-after" in error.response.headers) is (kind is openai.RateLimitError)


@pytest.mark.claim("XH-ERR-3", "IC-ERR-1", "XH-ERR-4", "IC-ERR-2", "IC-BILL-2")
@pytest.mark.parametrize(
    ("provider", "fields", "kind"),
    [
        ("xhuoapi", {"size": "7x"}, openai.BadRequestError),
        ("xhuoapi", {"size": "800x600"}, openai.BadRequestError),
        ("xhuoapi", {"model": "gpt-image-9"}, openai.BadRequestError),
        ("xhuoapi", {"prompt": "[mock:moderated]"}, openai.PermissionDeniedError),
        ("xhuoapi", {"prompt": "[mock:fail]"}, openai.InternalServerError),
        ("icodeeasy", {"size": "7:5"}, openai.BadRequestError),
        ("icodeeasy", {"prompt": "[mock:moderated]"}, openai.BadRequestError),
        ("icodeeasy", {"prompt": "[mock:fail]"}, openai.InternalServerError),
    ],
)
def test_a_refusal_raises_the_packages_error(
    request: pytest.FixtureRequest, provider: str, fields: dict[str, str], kind: type[openai.APIStatusError]
) -> None:
    assert type(error_of(request.getfixturevalue(provider), **fields)) is kind


@pytest.mark.claim("CLIENT-RETRY-1", "XH-ERR-2", "IC-ERR-1")
@pytest.mark.parametrize("provider", BASES)
def test_a_429_is_retried_as_its_header_says(
    request: pytest.FixtureRequest, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    caller: Caller = request.getfixturevalue(provider)
    caller = caller.keyed(caller.key + "-mock-429")
    monkeypatch.setattr("openai._base_client.time.sleep", waits.append)
    with openai.OpenAI(**{**options(caller), "max_retries": 2}) as client, pytest.raises(openai.RateLimitError):
        client.images.generate(model=MODEL, prompt="a fox")
    assert waits == [1.0, 1.0]
    assert len(caller.requests()) == 3


@pytest.mark.claim("XH-EP-1", "IC-EP-1", "XH-EDIT-1", "IC-BODY-1", "XH-AUTH-1", "IC-AUTH-1")
@pytest.mark.parametrize("provider", BASES)
def test_the_async_client(request: pytest.FixtureRequest, provider: str) -> None:
    caller: Caller = request.getfixturevalue(provider)

    async def story() -> list[int]:
        async with openai.AsyncOpenAI(**options(caller)) as client:
            one = await client.images.generate(model=MODEL, prompt="a fox")
            two = await client.images.edit(model=MODEL, image=[PNG, PNG], prompt="a poster")
            three = await asyncio.gather(*(client.images.generate(model=MODEL, prompt="x") for _ in range(10)))
        async with openai.AsyncOpenAI(**{**options(caller), "api_key": "sk_x-mock-401"}) as stranger:
            with pytest.raises(openai.AuthenticationError):
                await stranger.images.generate(model=MODEL, prompt="a fox")
        return [len(result.data or []) for result in (one, two, *three)]

    assert asyncio.run(story()) == [1] * 12
    assert len(caller.tasks()) == 12
