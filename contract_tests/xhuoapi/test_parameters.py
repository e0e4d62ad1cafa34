"""xhuoapi: every parameter but size."""

from typing import Any

import pytest
from hypothesis import given

from .. import strategies
from ..client import Client
from ..library import sizes
from ..marks import VARIANT, claim, mock_only, paid
from ..mock import Control
from ..pictures import picture_in_base64
from ..pricing import price_of
from . import api

LENGTHS = [(model, length) for model, length in sizes()["xhuoapi"]["prompt"].items() if isinstance(length, int)]


@claim("XH-MODEL-2", "XH-ERR-2")
def test_model_is_required(client: Client) -> None:
    api.assert_refused(client, client.post(api.GENERATIONS, {"prompt": api.PROMPT}), "token_mismatched")


@claim("XH-ERR-2", "XH-ERR-3", "XH-MODEL-1")
@pytest.mark.parametrize("model", ["gpt-image-3", "dall-e-4", "nano-banana-3", "GPT-IMAGE-2", "midjourney"])
def test_an_unknown_model(client: Client, model: str) -> None:
    api.assert_refused(client, api.generate(client, model=model), "api_not_implemented")


@claim("XH-PROMPT-1", "XH-ERR-2")
@pytest.mark.parametrize("model", api.MODELS)
def test_prompt_is_required(client: Client, model: str) -> None:
    api.assert_refused(client, client.post(api.GENERATIONS, {"model": model}), "token_mismatched")


@claim("XH-PROMPT-1")
@pytest.mark.parametrize(
    ("model", "length"), [pytest.param(*pair, marks=paid(model=pair[0], priority=VARIANT)) for pair in LENGTHS]
)
def test_the_longest_prompt(client: Client, model: str, length: int) -> None:
    assert api.generate(client, model=model, prompt="a" * length).status == 200


@claim("XH-PROMPT-1")
@pytest.mark.parametrize(("model", "length"), LENGTHS)
def test_a_longer_prompt(client: Client, model: str, length: int) -> None:
    api.assert_refused(client, api.generate(client, model=model, prompt="a" * (length + 1)), "token_mismatched")


@claim("XH-PROMPT-1", "XH-RESP-6")
@mock_only
@given(prompt=strategies.prompts())
def test_prompts_in_every_script(client: Client, prompt: str) -> None:
    assert api.generated(client, prompt=prompt) == api.pictures("gpt-image-2", prompt)


@claim("XH-N-1")
@paid(model="$model")
@pytest.mark.parametrize("n", [1, 3, 10])
@pytest.mark.parametrize("model", [*api.GPT, *api.NANO])
def test_n_is_ignored(client: Client, model: str, n: int) -> None:
    assert len(api.generated(client, model=model, n=n)["data"]) == 1


@claim("XH-N-1", "XH-PRICE-2", "XH-PRICE-3")
@mock_only
@pytest.mark.parametrize("model", [*api.GPT, *api.NANO])
def test_n_is_not_charged(client: Client, control: Control, model: str) -> None:
    api.generated(client, model=model, n=10)
    assert control.spent() == price_of("xhuoapi", {"model": model})


@claim("XH-N-2")
@paid(model="dall-e-2", n=3)
def test_dall_e_2_honours_n(client: Client) -> None:
    found = api.generated(client, model="dall-e-2", n=3, size="256x256")
    assert len(found["data"]) == 3
    assert len({one["url"] for one in found["data"]}) == 3


@claim("XH-N-2", "XH-PRICE-3")
@mock_only
@pytest.mark.parametrize("n", [1, 2, 10])
def test_dall_e_2_charges_each_picture(client: Client, control: Control, n: int) -> None:
    assert len(api.generated(client, model="dall-e-2", n=n)["data"]) == n
    assert control.spent() == price_of("xhuoapi", {"model": "dall-e-2", "n": n})


@claim("XH-N-2")
@paid(model="dall-e-3")
def test_dall_e_3_takes_one(client: Client) -> None:
    assert len(api.generated(client, model="dall-e-3", n=1)["data"]) == 1


@claim("XH-N-2")
@mock_only
@pytest.mark.parametrize("n", [0, 11])
def test_dall_e_2_takes_1_to_10(client: Client, n: int) -> None:
    api.assert_refused(client, api.generate(client, model="dall-e-2", n=n), "token_mismatched")


@claim("XH-N-2")
@mock_only
@pytest.mark.parametrize("n", [0, 2, 10])
def test_dall_e_3_takes_no_other_n(client: Client, n: int) -> None:
    api.assert_refused(client, api.generate(client, model="dall-e-3", n=n), "bad_request")


@claim("XH-NANO-1")
@paid(model="$model", priority=VARIANT)
@pytest.mark.parametrize(
    "more",
    [
        {"n": "x"},
        {"quality": "best"},
        {"style": 1},
        {"response_format": "b64_json"},
        {"response_format": "x"},
        {"background": "x"},
        {"output_format": "bmp"},
        {"n": 4, "quality": "hd", "style": "vivid", "output_format": "jpeg"},
    ],
    ids=lambda more: "-".join(more),
)
@pytest.mark.parametrize("model", ["nano-banana", "nano-banana-pro"])
def test_nano_banana_ignores_the_rest(client: Client, model: str, more: dict[str, Any]) -> None:
    found = api.generated(client, model=model, **more)
    assert found == api.pictures(model)
    assert client.picture(found["data"][0]["url"]).format == "PNG" or not client.is_mock


@claim("XH-QUAL-1")
@pytest.mark.parametrize(
    ("model", "quality"),
    [
        pytest.param(model, quality, marks=paid(model=model, quality=quality, priority=VARIANT))
        for model, qualities in {
            "dall-e-3": ("standard", "hd"),
            "dall-e-2": ("standard",),
            "gpt-image-1": ("auto", "high", "medium", "low"),
            "gpt-image-2": ("auto", "high", "medium", "low"),
        }.items()
        for quality in qualities
    ],
)
def test_qualities(client: Client, model: str, quality: str) -> None:
    assert api.generate(client, model=model, quality=quality).status == 200


@claim("XH-QUAL-1")
@mock_only
@pytest.mark.parametrize(
    ("model", "quality"), [("dall-e-3", "best"), ("dall-e-2", "hd"), ("gpt-image-2", "hd"), ("gpt-image-1", "standard")]
)
def test_other_qualities(client: Client, model: str, quality: str) -> None:
    api.assert_refused(client, api.generate(client, model=model, quality=quality), "token_mismatched")


@claim("XH-QUAL-1", "XH-PRICE-3")
@mock_only
@pytest.mark.parametrize("quality", [None, "auto", "standard", "hd"])
@pytest.mark.parametrize("size", [None, "1024x1024", "1792x1024", "1024x1792"])
def test_the_price_of_dall_e_3(client: Client, control: Control, size: str | None, quality: str | None) -> None:
    api.generated(client, model="dall-e-3", size=size, quality=quality)
    expected = price_of("xhuoapi", {"model": "dall-e-3", "size": size, "quality": quality})
    assert control.spent() == expected


@claim("XH-STYLE-1")
@paid(model="dall-e-3", priority=VARIANT)
@pytest.mark.parametrize("style", ["vivid", "natural"])
def test_styles(client: Client, style: str) -> None:
    assert api.generate(client, model="dall-e-3", style=style).status == 200


@claim("XH-STYLE-1")
@mock_only
def test_other_styles(client: Client) -> None:
    api.assert_refused(client, api.generate(client, model="dall-e-3", style="gloomy"), "token_mismatched")
    assert api.generate(client, model="gpt-image-2", style="gloomy").status == 200


@claim("XH-FMT-1")
@paid(model="dall-e-3")
def test_base64_replaces_the_url(client: Client) -> None:
    found = api.generated(client, model="dall-e-3", response_format="b64_json")["data"][0]
    assert found.keys() == {"b64_json", "revised_prompt"}
    picture = picture_in_base64(found["b64_json"])
    assert picture is not None
    assert (picture.format, picture.size) == ("PNG", "1024x1024")


@claim("XH-FMT-1")
@paid(model="dall-e-3", priority=VARIANT)
@pytest.mark.parametrize("form", [None, "url"])
def test_url_is_the_default(client: Client, form: str | None) -> None:
    assert api.generated(client, model="dall-e-3", response_format=form) == api.pictures("dall-e-3")


@claim("XH-SEED-1")
@paid(calls=2, model="gpt-image-2")
def test_a_seed_may_be_sent(client: Client) -> None:
    for seed in (1, 2):
        assert api.generated(client, seed=seed) == api.pictures("gpt-image-2")


@claim("XH-SEED-1")
@mock_only
def test_the_picture_depends_on_the_seed(client: Client, control: Control) -> None:
    """The first picture of a key, made anew with each seed, so that nothing else differs."""
    pictures = []
    for seed in (1, 2, 1):
        pictures.append(client.picture(api.generated(client, seed=seed)["data"][0]["url"]).sha256)
        control.forget()
    assert pictures[0] == pictures[2] != pictures[1]


@claim("XH-OUTFMT-1")
@paid(model="gpt-image-2", priority=VARIANT)
@pytest.mark.parametrize(
    "more",
    [
        {"background": "auto"},
        {"background": "transparent"},
        {"background": "opaque"},
        {"moderation": "auto"},
        {"moderation": "low"},
        {"output_compression": 0},
        {"output_compression": 100},
        {"partial_images": 0},
        {"partial_images": 3},
    ],
    ids=str,
)
def test_output_parameters(client: Client, more: dict[str, Any]) -> None:
    assert api.generated(client, **more) == api.pictures("gpt-image-2")


@claim("XH-OUTFMT-1")
@paid(model="gpt-image-2", priority=VARIANT)
@pytest.mark.parametrize(("name", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_output_formats(client: Client, name: str, kind: str) -> None:
    found = client.fetch(api.generated(client, output_format=name)["data"][0]["url"])
    if client.is_mock:
        assert (found.picture().format, found.content_type) == (kind, f"image/{name}")


@claim("XH-OUTFMT-1")
@mock_only
@pytest.mark.parametrize(
    "more",
    [
        {"background": "blue"},
        {"output_format": "gif"},
        {"moderation": "high"},
        {"output_compression": 101},
        {"output_compression": -1},
        {"partial_images": 4},
        {"partial_images": -1},
    ],
    ids=str,
)
def test_other_output_parameters(client: Client, more: dict[str, Any]) -> None:
    api.assert_refused(client, api.generate(client, **more), "token_mismatched")
