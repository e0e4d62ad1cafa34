"""The official `openai` SDK against this provider."""

from base64 import b64decode
from io import BytesIO

import httpx
import openai
import pytest
from PIL import Image

PROMPT = "A cute baby sea otter"


def png(width: int = 64, height: int = 64) -> bytes:
    """A picture to upload."""
    file = BytesIO()
    Image.new("RGBA", (width, height), "teal").save(file, "PNG")
    return file.getvalue()


def size(data: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(data)).size


@pytest.mark.claim("OI-EP-1", "OI-AUTH-1", "OI-OUT-1", "OI-USAGE-1", "OI-SIZE-1", "OI-QUAL-1")
def test_generate(sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(model="gpt-image-1", prompt=PROMPT, size="1536x1024", quality="low", n=2)
    assert answer.data is not None
    assert [size(b64decode(image.b64_json or "")) for image in answer.data] == [(1536, 1024)] * 2
    assert (answer.size, answer.quality, answer.output_format, answer.background) == (
        "1536x1024",
        "low",
        "png",
        "opaque",
    )
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2 * 400
    assert answer.usage.total_tokens == answer.usage.input_tokens + 800


@pytest.mark.claim("OI-MODEL-1", "OI-OUT-1", "OI-OUT-2")
def test_generate_a_link(sdk: openai.OpenAI) -> None:
    (image,) = sdk.images.generate(prompt=PROMPT, size="512x512").data or []
    assert image.url is not None
    assert size(httpx.get(image.url).content) == (512, 512)


@pytest.mark.claim("OI-OUT-3", "OI-OUT-1")
def test_dall_e_3(sdk: openai.OpenAI) -> None:
    answer = sdk.images.generate(
        model="dall-e-3", prompt=PROMPT, quality="hd", style="natural", response_format="b64_json"
    )
    (image,) = answer.data or []
    assert PROMPT in (image.revised_prompt or "")
    assert size(b64decode(image.b64_json or "")) == (1024, 1024)


@pytest.mark.claim("OI-EDIT-1", "OI-USAGE-1")
def test_edit(sdk: openai.OpenAI) -> None:
    images = [("one.png", png()), ("two.png", png(80, 40))]
    answer = sdk.images.edit(model="gpt-image-1", image=images, mask=("mask.png", png()), prompt=PROMPT)
    (image,) = answer.data or []
    assert size(b64decode(image.b64_json or "")) == (1024, 1024)
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens == 2 * 323


@pytest.mark.claim("OI-EDIT-1", "OI-OUT-1")
def test_edit_by_dall_e_2(sdk: openai.OpenAI) -> None:
    answer = sdk.images.edit(image=("a.png", png()), prompt=PROMPT, n=2, size="256x256")
    assert [httpx.get(image.url or "").status_code for image in answer.data or []] == [200, 200]


ERRORS: dict[str, tuple[str, type[openai.APIStatusError], str | None, str | None]] = {
    "-mock-401": ("", openai.AuthenticationError, "invalid_api_key", None),
    "-mock-402": ("", openai.RateLimitError, "insufficient_quota", None),
    "-mock-429": ("", openai.RateLimitError, "rate_limit_exceeded", None),
    "-mock-500": ("", openai.InternalServerError, "server_error", None),
    "moderated": ("[mock:moderated]", openai.BadRequestError, "moderation_blocked", None),
    "failed": ("[mock:fail]", openai.InternalServerError, "server_error", None),
    "busy": ("[mock:status=503]", openai.InternalServerError, "service_unavailable", None),
    "blank": (" ", openai.BadRequestError, "invalid_value", "prompt"),
}


@pytest.mark.claim("OI-ERR-1", "OI-ERR-2", "OI-PROMPT-1")
@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_the_sdks_own_exceptions(sdk: openai.OpenAI, name: str) -> None:
    prompt, kind, code, param = ERRORS[name]
    client = sdk.with_options(api_key=f"{sdk.api_key}{name}") if name.startswith("-mock") else sdk
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.generate(model="gpt-image-1", prompt=prompt or PROMPT)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.param) == (code, param)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body.keys() == {"message", "type", "param", "code"}


@pytest.mark.claim("OI-AUTH-1")
def test_a_key_of_another_form(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
        sdk.with_options(api_key="my-key").images.generate(prompt=PROMPT)


@pytest.mark.claim("OI-FIELD-1")
def test_streaming_is_refused(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="does not stream"):
        sdk.images.generate(model="gpt-image-1", prompt=PROMPT, stream=True)
    with pytest.raises(openai.BadRequestError, match="does not stream"):
        sdk.images.edit(model="gpt-image-1", image=("a.png", png()), prompt=PROMPT, stream=True)


@pytest.mark.claim("OI-ERR-1")
def test_other_endpoints_are_not_there(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        sdk.models.list()
