"""xhuoapi: which requests are accepted, by model and field (XH-MODEL, -PROMPT, -SIZE, -N, -QUAL, -STYLE, -FMT …)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.calls import ASYNC, Caller, fixture, read_picture
from support.errors import assert_xhuoapi_error
from support.scene import Scene

MODELS = [
    "dall-e-2",
    "dall-e-3",
    "gpt-image-1",
    "gpt-image-1.5",
    "gpt-image-2",
    "nano-banana",
    "nano-banana-2",
    "nano-banana-pro",
]
OPENAI = MODELS[:5]
GPT = MODELS[2:5]
NANO = MODELS[5:]

ONE_K = ["1024x1024", "1536x1024", "1024x1536", "1792x1024", "1024x1792"]
TWO_K = ["2048x2048", "2048x1536", "1536x2048", "2048x1152", "1152x2048"]
FOUR_K = ["2880x2880", "3264x2448", "2448x3264", "3840x2160", "2160x3840"]


def accepted(caller: Caller, **fields: Any) -> None:
    answer = caller.generate(**fields)
    assert answer.status_code == 200, answer.text


def refused(caller: Caller, code: str, message: str = "", **fields: Any) -> None:
    """400, with nothing made and nothing charged, to wait for or not."""
    assert_xhuoapi_error(caller.generate(**fields), 400, code, message)
    assert_xhuoapi_error(caller.generate(**{"callback_url": "http://127.0.0.1:9/", **fields}), 400, code, message)
    assert caller.untouched()


@pytest.mark.claim("XH-MODEL-1", "XH-EP-1")
@pytest.mark.parametrize("model", MODELS)
def test_every_model_takes_one_request_shape_at_one_endpoint(xhuoapi: Caller, model: str) -> None:
    answer = xhuoapi.post("/v1/openai/images/generations", {"model": model, "prompt": "a fox", "size": "1024x1024"})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]) == 1


@pytest.mark.claim("XH-MODEL-2", "XH-ERR-3")
def test_a_missing_model_is_token_mismatched(xhuoapi: Caller) -> None:
    refused(xhuoapi, "token_mismatched", "model", without=["model"])
    refused(xhuoapi, "token_mismatched", "model", model=None)


@pytest.mark.claim("XH-ERR-3", "XH-ERR-2", "ALL-TYPE-1")
@pytest.mark.parametrize("model", ["gpt-image-3", "GPT-IMAGE-2", "gpt-image-2 ", "dall-e", "gpt-image-2-beta"])
def test_an_unknown_model_is_not_implemented(xhuoapi: Caller, model: str) -> None:
    refused(xhuoapi, "api_not_implemented", "The API is not implemented.", model=model)


@pytest.mark.claim("XH-PROMPT-1", "XH-ERR-3")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prompt", [None, "", " ", "\t\n", "\u3000", 5, ["a"], {"a": 1}, True])
def test_a_prompt_is_required_and_is_text(xhuoapi: Caller, model: str, prompt: Any) -> None:
    refused(xhuoapi, "token_mismatched", "prompt", model=model, prompt=prompt)


@pytest.mark.claim("XH-PROMPT-1")
@pytest.mark.parametrize("letter", ["x", "가", "🦊"])
@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("dall-e-2", 1000),
        ("dall-e-3", 4000),
        ("gpt-image-1", 32000),
        ("gpt-image-1.5", 32000),
        ("gpt-image-2", 32000),
    ],
)
def test_a_prompt_has_a_longest_length_in_characters(xhuoapi: Caller, model: str, most: int, letter: str) -> None:
    refused(xhuoapi, "token_mismatched", "prompt", model=model, prompt=letter * (most + 1))
    accepted(xhuoapi, model=model, prompt=letter * most)


@pytest.mark.claim("XH-NANO-1")
def test_no_length_is_documented_for_a_nano_prompt(xhuoapi: Caller) -> None:
    accepted(xhuoapi, model="nano-banana", prompt="x" * 40_000)


@pytest.mark.claim("XH-SIZE-1", "XH-SIZE-8")
@pytest.mark.parametrize("model", OPENAI)
@pytest.mark.parametrize("size", ["omitted", "auto", "", None])
def test_no_size_or_auto_is_the_default_size(xhuoapi: Caller, model: str, size: str | None) -> None:
    accepted(xhuoapi, model=model, **({} if size == "omitted" else {"size": size}))
    assert xhuoapi.tasks()[0]["size"] == "1024x1024"


@pytest.mark.claim("XH-SIZE-2", "XH-SIZE-5", "XH-SIZE-9")
@pytest.mark.parametrize(
    "size",
    [
        *(
            "1024",
            "1024x",
            "x1024",
            "1024*1024",
            "1024 * 1024",
            "1024X1024",
            "1024×1024",
            "1024x1024x1",
            "large",
            "16:9",
        ),
        *("0x0", "0x1024", "1024x0", "-16x16", "+16x16", "16x-16", " 16x16", "16x16 ", "16 x16", "016x16", "16x016"),
        *("１６x１６", "١٦x١٦", "16.0x16", "1e3x16", "AUTO", "Auto", "16x16\n", "1k", "1_6x16", "0x10x16"),
    ],
)
@pytest.mark.parametrize("model", ["gpt-image-2", "dall-e-3"])
def test_a_size_in_another_format_is_refused_in_every_mode(xhuoapi: Caller, model: str, size: str) -> None:
    refused(xhuoapi, "token_mismatched", "size", model=model, size=size)
    refused(xhuoapi, "token_mismatched", "size", model=model, size=size, **ASYNC)


@pytest.mark.claim("XH-SIZE-3")
@pytest.mark.parametrize("size", ["3840x2160", "2160x3840", "2880x2880", "16x16", "3840x16", "16x3840", "3824x2160"])
def test_a_size_within_upstreams_limits_passes(xhuoapi: Caller, size: str) -> None:
    accepted(xhuoapi, size=size)


@pytest.mark.claim("XH-SIZE-3", "XH-SIZE-5")
@pytest.mark.parametrize(
    ("size", "limit"),
    [
        ("800x600", "size width and height must be multiples of 16"),
        ("15x16", "multiples of 16"),
        ("16x17", "multiples of 16"),
        ("1255x1254", "multiples of 16"),
        ("941x1254", "multiples of 16"),
        ("1x1", "multiples of 16"),
        ("3856x16", "3840"),
        ("16x3856", "3840"),
        ("3840x2176", "8294400"),
        ("2896x2880", "8294400"),
        ("9" * 5000 + "x16", ""),
    ],
)
def test_a_size_beyond_upstreams_limits_is_a_bad_request_that_names_the_limit(
    xhuoapi: Caller, size: str, limit: str
) -> None:
    answer = xhuoapi.generate(size=size)
    assert_xhuoapi_error(answer, 400, "bad_request", limit)
    assert xhuoapi.untouched()


@pytest.mark.claim("XH-SIZE-2", "XH-SIZE-3", "XH-SIZE-4")
@given(width=st.integers(1, 4200), height=st.integers(1, 4200), step=st.sampled_from([1, 16]))
def test_any_size_is_judged_as_the_document_says(house: Scene, width: int, height: int, step: int) -> None:
    width, height = max(1, width // step * step), max(1, height // step * step)
    alias = f"{width}x{height}" in ("1254x1254", "1672x941", "941x1672")
    within = width % 16 == height % 16 == 0 and max(width, height) <= 3840 and width * height <= 8_294_400
    answer = Caller(house, "xhuoapi", "sizes").generate(size=f"{width}x{height}", **ASYNC)
    (task,) = house.mock("tasks", provider="xhuoapi", limit=1)["tasks"]
    assert answer.json() == {"task_id": task["id"]}
    assert task["status"] == ("completed" if alias or within else "failed")


@pytest.mark.claim("XH-SIZE-4", "XH-SIZE-6")
@pytest.mark.parametrize("size", [*ONE_K, *TWO_K, *FOUR_K, "1254x1254", "1672x941", "941x1672"])
def test_the_recommended_sizes_and_the_aliases_are_accepted(xhuoapi: Caller, size: str) -> None:
    accepted(xhuoapi, size=size)


SIZES = {
    "dall-e-2": ["256x256", "512x512", "1024x1024"],
    "dall-e-3": ["1024x1024", "1792x1024", "1024x1792"],
    "gpt-image-1": ["1024x1024", "1536x1024", "1024x1536"],
    "gpt-image-1.5": ["1024x1024", "1536x1024", "1024x1536"],
}


@pytest.mark.claim("XH-SIZE-7", "XH-ERR-3")
@pytest.mark.parametrize("model", SIZES)
@pytest.mark.parametrize("size", [*ONE_K, "256x256", "512x512", "2048x2048", "1254x1254", "16x16", "800x600"])
def test_the_older_models_have_lists_of_sizes(xhuoapi: Caller, model: str, size: str) -> None:
    answer = xhuoapi.generate(model=model, size=size)
    if size in SIZES[model]:
        assert answer.status_code == 200, answer.text
        assert read_picture(xhuoapi.scene.http, answer.json()["data"][0]["url"]) == tuple(map(int, size.split("x")))
    else:
        assert_xhuoapi_error(answer, 400, "bad_request", "size")
        assert xhuoapi.untouched()


@pytest.mark.claim("XH-N-1")
@pytest.mark.parametrize("model", [*GPT, *NANO])
@pytest.mark.parametrize("n", [0, 1, 2, 10, 11, -1, "two", 1.5, [], None])
def test_gpt_image_and_nano_ignore_n(xhuoapi: Caller, model: str, n: Any) -> None:
    assert len(xhuoapi.generate(model=model, n=n).json()["data"]) == 1


@pytest.mark.claim("XH-N-2")
@pytest.mark.parametrize("n", range(1, 11))
def test_dalle2_honours_n(xhuoapi: Caller, n: int) -> None:
    urls = [image["url"] for image in xhuoapi.generate(model="dall-e-2", n=n).json()["data"]]
    assert len(set(urls)) == n
    assert [f"generated_{index:02d}.png" in url for index, url in enumerate(urls)] == [True] * n


@pytest.mark.claim("XH-N-2", "ALL-TYPE-1")
@pytest.mark.parametrize("n", [0, 11, -1, 10**30, "2", 1.5, True, [2]])
def test_dalle2_refuses_another_n(xhuoapi: Caller, n: Any) -> None:
    refused(xhuoapi, "token_mismatched", "n", model="dall-e-2", n=n)


@pytest.mark.claim("XH-N-2", "XH-ERR-3")
@pytest.mark.parametrize("n", [0, 2, 10])
def test_dalle3_takes_one_image_alone(xhuoapi: Caller, n: int) -> None:
    refused(xhuoapi, "bad_request", "n", model="dall-e-3", n=n)
    accepted(xhuoapi, model="dall-e-3", n=1)
    accepted(xhuoapi, model="dall-e-3", n=None)


QUALITIES = {
    "dall-e-2": ["standard", "auto", None],
    "dall-e-3": ["standard", "hd", "auto", None],
    "gpt-image-1": ["auto", "high", "medium", "low", None],
    "gpt-image-1.5": ["auto", "high", "medium", "low", None],
    "gpt-image-2": ["auto", "high", "medium", "low", None],
}


@pytest.mark.claim("XH-QUAL-1", "ALL-TYPE-1")
@pytest.mark.parametrize("model", QUALITIES)
@pytest.mark.parametrize("quality", ["standard", "hd", "auto", "high", "medium", "low", None, "HD", "best", "", 1])
def test_quality_by_model(xhuoapi: Caller, model: str, quality: Any) -> None:
    if quality in QUALITIES[model]:
        accepted(xhuoapi, model=model, quality=quality)
    else:
        refused(xhuoapi, "token_mismatched", "quality", model=model, quality=quality)


@pytest.mark.claim("XH-STYLE-1")
def test_dalle3_has_two_styles(xhuoapi: Caller) -> None:
    for bad in ("Vivid", "anime", "", 5):
        refused(xhuoapi, "token_mismatched", "style", model="dall-e-3", style=bad)
    for style in ("vivid", "natural", None):
        accepted(xhuoapi, model="dall-e-3", style=style)


@pytest.mark.claim("XH-STYLE-1", "ALL-TYPE-1")
@pytest.mark.parametrize("model", [model for model in MODELS if model != "dall-e-3"])
@pytest.mark.parametrize("style", ["anime", 5, {}])
def test_other_models_ignore_style(xhuoapi: Caller, model: str, style: Any) -> None:
    accepted(xhuoapi, model=model, style=style)


OUTPUT_FIELDS = [
    ("background", ["auto", "transparent", "opaque", None], ["Auto", "red", "", 1]),
    ("output_format", ["png", "jpeg", "webp", None], ["PNG", "jpg", "gif", "", 1]),
    ("moderation", ["auto", "low", None], ["high", "", 1]),
    ("output_compression", [0, 50, 100, None], [-1, 101, "50", 1.5, True]),
    ("partial_images", [0, 1, 2, 3, None], [-1, 4, "1", 1.5, False]),
]


@pytest.mark.claim("XH-OUTFMT-1", "ALL-TYPE-1")
@pytest.mark.parametrize("model", GPT)
@pytest.mark.parametrize(("field", "good", "bad"), OUTPUT_FIELDS)
def test_gpt_image_output_fields(xhuoapi: Caller, model: str, field: str, good: list[Any], bad: list[Any]) -> None:
    for value in bad:
        refused(xhuoapi, "token_mismatched", field, model=model, **{field: value})
    for value in good:
        accepted(xhuoapi, model=model, **{field: value})


@pytest.mark.claim("XH-OUTFMT-1", "ALL-TYPE-1")
@pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3", *NANO])
@pytest.mark.parametrize("field", [field for field, _, _ in OUTPUT_FIELDS])
def test_other_models_do_not_look_at_gpt_image_fields(xhuoapi: Caller, model: str, field: str) -> None:
    accepted(xhuoapi, model=model, **{field: "nonsense"})


@pytest.mark.claim("XH-FMT-1", "XH-FMT-2", "ALL-TYPE-1")
@pytest.mark.parametrize("model", OPENAI)
def test_openai_models_have_two_response_formats(xhuoapi: Caller, model: str) -> None:
    for bad in ("b64", "URL", "", 1, True):
        refused(xhuoapi, "token_mismatched", "response_format", model=model, response_format=bad)
    for good, key in (("url", "url"), (None, "url"), ("b64_json", "b64_json")):
        (image,) = xhuoapi.generate(model=model, response_format=good).json()["data"]
        assert image.keys() == {"revised_prompt", key}


@pytest.mark.claim("XH-NANO-1", "XH-FMT-2", "ALL-TYPE-1")
@pytest.mark.parametrize("model", NANO)
@pytest.mark.parametrize(
    "fields",
    [
        {"n": 7, "quality": "hd", "style": "vivid", "response_format": "b64_json"},
        {"background": "transparent", "output_format": "webp", "output_compression": 5},
        {"n": "x", "quality": 5, "style": [], "response_format": {}, "background": 1, "output_format": "bmp"},
    ],
)
def test_nano_ignores_every_other_field_valid_or_not(xhuoapi: Caller, model: str, fields: dict[str, Any]) -> None:
    (image,) = xhuoapi.generate(model=model, **fields).json()["data"]
    assert image.keys() == {"url", "revised_prompt"}
    assert image["url"].endswith(".png")


@pytest.mark.claim("XH-NANO-2", "XH-NANO-3")
@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ("1024x1024", (1024, 1024)),
        ("512x512", (1024, 1024)),
        ("256x256", (1024, 1024)),
        ("1792x1024", (1344, 768)),
        ("1024x1792", (768, 1344)),
        ("1536x1024", (1024, 1024)),
        ("16:9", (1024, 1024)),
        ("nonsense", (1024, 1024)),
        ("", (1024, 1024)),
        (None, (1024, 1024)),
        (1024, (1024, 1024)),
        (["1792x1024"], (1024, 1024)),
        ({"width": 1}, (1024, 1024)),
    ],
)
def test_nano_turns_a_size_into_a_ratio_and_never_refuses(xhuoapi: Caller, size: Any, pixels: tuple[int, int]) -> None:
    (image,) = xhuoapi.generate(model="nano-banana-2", size=size).json()["data"]
    assert read_picture(xhuoapi.scene.http, image["url"]) == pixels


@pytest.mark.claim("XH-NANO-3")
def test_nano_without_a_size_is_square(xhuoapi: Caller) -> None:
    (image,) = xhuoapi.generate(model="nano-banana-pro").json()["data"]
    assert read_picture(xhuoapi.scene.http, image["url"]) == (1024, 1024)


@pytest.mark.claim("XH-SEED-1")
@pytest.mark.parametrize("seed", [0, -1, 2**70, 1.5, "abc", None, True, [1]])
@pytest.mark.parametrize("model", ["gpt-image-2", "nano-banana"])
def test_any_seed_may_be_sent(xhuoapi: Caller, model: str, seed: Any) -> None:
    accepted(xhuoapi, model=model, seed=seed)


@pytest.mark.claim("ALL-TYPE-1")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "field",
    [
        {"model": 5},
        {"model": ["gpt-image-2"]},
        {"callback_url": 5},
        {"callback_url": ["http://127.0.0.1"]},
        {"async": "true"},
        {"async": 1},
        {"async": 0},
    ],
    ids=str,
)
def test_a_wrong_type_is_refused_for_every_model(xhuoapi: Caller, model: str, field: dict[str, Any]) -> None:
    assert_xhuoapi_error(xhuoapi.generate(**{"model": model, **field}), 400, "token_mismatched", *field)
    assert xhuoapi.untouched()


@pytest.mark.claim("ALL-TYPE-1", "XH-SIZE-2")
@pytest.mark.parametrize("model", OPENAI)
@pytest.mark.parametrize("size", [1024, [1024, 1024], {"width": 1024}, True, 1.5])
def test_a_size_that_is_no_text_is_refused(xhuoapi: Caller, model: str, size: Any) -> None:
    refused(xhuoapi, "token_mismatched", "size", model=model, size=size)


@pytest.mark.claim("XH-CB-3", "XH-ERR-3")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "url", ["nowhere", "ftp://x.example/", "http://", "http://[::1", "http://a b/", "//x/", "javascript:1"]
)
def test_a_malformed_callback_url_is_refused(xhuoapi: Caller, model: str, url: str) -> None:
    refused(xhuoapi, "token_mismatched", "callback_url", model=model, callback_url=url)


@pytest.mark.claim("XH-CB-2")
@pytest.mark.parametrize("url", [None, ""])
def test_no_callback_url_means_waiting(xhuoapi: Caller, url: str | None) -> None:
    assert xhuoapi.generate(callback_url=url).json()["success"] is True


@pytest.mark.claim("CLIENT-EXTRA-1", "ALL-TYPE-1")
@pytest.mark.parametrize("model", MODELS)
def test_unknown_fields_are_ignored(xhuoapi: Caller, model: str) -> None:
    accepted(xhuoapi, model=model, user="u-1", whatever={"deep": [1]}, stream=False, input_fidelity="high")


OTHERS = [
    ({"model": "gpt-image-2", "quality": "hd"}, ["'auto', 'high', 'medium' or 'low'"], ["dall-e-3"]),
    ({"model": "gpt-image-1", "quality": "standard"}, ["'high'"], ["dall-e-2", "dall-e-3"]),
    ({"model": "dall-e-3", "quality": "low"}, ["'standard', 'hd'"], ["gpt-image-1", "gpt-image-1.5", "gpt-image-2"]),
    ({"model": "gpt-image-1", "size": "1792x1024"}, ["1536x1024"], ["dall-e-3", "gpt-image-2"]),
    ({"model": "dall-e-3", "size": "512x512"}, ["1792x1024"], ["dall-e-2", "gpt-image-2"]),
    ({"model": "dall-e-3", "n": 2}, ["n = 1"], ["dall-e-2"]),
    ({"model": "dall-e-2", "prompt": "x" * 4001}, ["1000"], ["gpt-image-1", "nano-banana"]),
]


@pytest.mark.claim("XH-ERR-6", "XH-QUAL-1")
@pytest.mark.parametrize(("fields", "own", "others"), OTHERS, ids=str)
@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_a_value_of_another_model_is_refused_naming_both(
    xhuoapi: Caller, fields: dict[str, Any], own: list[str], others: list[str], form: bool
) -> None:
    answer = xhuoapi.form([("image", fixture("reference.png"))], **fields) if form else xhuoapi.generate(**fields)
    assert answer.status_code == 400
    told, _, right = answer.json()["error"]["message"].partition("; the value sent is right for ")
    assert all(text in told for text in [*own, fields["model"]])
    assert set(others) <= set(right.rstrip(".").split(", "))
    assert fields["model"] not in right.rstrip(".").split(", ")


@pytest.mark.claim("XH-ERR-6")
@pytest.mark.parametrize(
    "fields",
    [
        {"model": "gpt-image-2", "quality": "ultra"},
        {"model": "dall-e-3", "n": 11},
        {"model": "dall-e-3", "style": "hd"},
        {"model": "gpt-image-2", "size": "16x15"},
        {"model": "gpt-image-2", "output_format": "gif"},
    ],
    ids=str,
)
def test_a_value_of_no_model_names_none(xhuoapi: Caller, fields: dict[str, Any]) -> None:
    answer = xhuoapi.generate(**fields)
    assert answer.status_code == 400
    assert "the value sent" not in answer.json()["error"]["message"]
