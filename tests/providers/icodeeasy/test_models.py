"""icodeeasy: which requests are accepted, and how large the pictures are (IC-MODEL, -PROMPT, -N, -SIZE, -RES …)."""

from math import log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.calls import Caller, fixture, read_picture
from support.errors import assert_icodeeasy_error
from support.scene import Scene

RATIOS = ["1:1", "3:2", "2:3", "4:3", "3:4", "5:4", "4:5", "16:9", "9:16", "2:1", "1:2", "21:9", "9:21"]
PATHS = ["/v1/images/generations", "/v1/images/edits", "/images/generations", "/images/edits"]


def refused(caller: Caller, message: str, **fields: Any) -> None:
    """400 at every endpoint and in async mode, with nothing made and nothing charged."""
    for path in [*PATHS, PATHS[0] + "?async=1"]:
        answer = caller.post(path, caller.body(**fields))
        assert_icodeeasy_error(answer, 400, "invalid_request_error", message)
    assert caller.untouched()


def value(ratio: str) -> float:
    width, height = map(int, ratio.split(":"))
    return width / height


@pytest.mark.claim("IC-MODEL-1", "ALL-TYPE-1")
@pytest.mark.parametrize(
    "model", [None, "gpt-image-1", "dall-e-3", "GPT-image-2", "gpt-image-2-beta", "", 5, ["gpt-image-2"]]
)
def test_only_gpt_image_2_is_offered(icodeeasy: Caller, model: Any) -> None:
    refused(icodeeasy, "model", model=model)


@pytest.mark.claim("IC-MODEL-1")
def test_a_model_is_required(icodeeasy: Caller) -> None:
    refused(icodeeasy, "model", without=["model"])


@pytest.mark.claim("IC-PROMPT-1", "ALL-TYPE-1")
@pytest.mark.parametrize("prompt", [None, "", " ", "\n\t", "\u3000", 5, ["fox"], {}])
def test_a_prompt_is_required_and_is_text(icodeeasy: Caller, prompt: Any) -> None:
    refused(icodeeasy, "prompt", prompt=prompt)
    refused(icodeeasy, "prompt", without=["prompt"])


@pytest.mark.claim("IC-PROMPT-1")
@pytest.mark.parametrize("prompt", ["x", "一只橘猫，水彩", "고양이 🐈", "x" * 40_000])
def test_any_prompt_is_taken(icodeeasy: Caller, prompt: str) -> None:
    assert icodeeasy.generate(prompt=prompt).status_code == 200


@pytest.mark.claim("IC-N-1")
@pytest.mark.parametrize("n", range(1, 11))
def test_n_pictures_are_numbered_from_one(icodeeasy: Caller, n: int) -> None:
    body = icodeeasy.generate(n=n).json()
    names = [image["url"].rpartition("/")[2] for image in body["data"]]
    assert names == [f"{body['id']}-{number}.png" for number in range(1, n + 1)]


@pytest.mark.claim("IC-N-1")
@pytest.mark.parametrize("fields", [{}, {"n": None}])
def test_n_is_one_by_default(icodeeasy: Caller, fields: dict[str, Any]) -> None:
    assert len(icodeeasy.generate(**fields).json()["data"]) == 1


@pytest.mark.claim("IC-N-1", "ALL-TYPE-1")
@pytest.mark.parametrize("n", [0, 11, -1, 10**30, "2", 1.5, True, [1], {}])
def test_another_n_is_refused(icodeeasy: Caller, n: Any) -> None:
    refused(icodeeasy, "n", n=n)


@pytest.mark.claim("IC-SIZE-1", "IC-RES-1")
@pytest.mark.parametrize("resolution", ["1k", "2k"])
@pytest.mark.parametrize("ratio", RATIOS)
def test_every_ratio_has_its_shape_at_both_resolutions(icodeeasy: Caller, ratio: str, resolution: str) -> None:
    answer = icodeeasy.generate(size=ratio, resolution=resolution)
    width, height = read_picture(icodeeasy.scene.http, answer.json()["data"][0]["url"])
    assert width % 16 == height % 16 == 0
    assert abs(width / height / value(ratio) - 1) <= 0.02
    assert 0.9 <= width * height / {"1k": 1024**2, "2k": 2048**2}[resolution] <= 1.1


@pytest.mark.claim("IC-SIZE-1", "IC-RES-1", "ALL-TYPE-1")
@pytest.mark.parametrize(
    "fields",
    [{}, {"size": "1:1"}, {"size": "auto"}, {"size": None}, {"resolution": None}, {"size": "auto", "resolution": "1k"}],
)
def test_a_picture_is_square_and_1k_by_default(icodeeasy: Caller, fields: dict[str, Any]) -> None:
    answer = icodeeasy.generate(**fields)
    assert read_picture(icodeeasy.scene.http, answer.json()["data"][0]["url"]) == (1024, 1024)


@pytest.mark.claim("IC-SIZE-1", "IC-SIZE-2", "ALL-TYPE-1")
@pytest.mark.parametrize(
    "size",
    [
        *("7:5", "1:3", "3:1", "10:10", "0:1", "1:", "1: 1", " 1:1", "1:1 ", "AUTO", "Auto", "large", "1k", ""),
        *("1024X1024", "1024×1024", "1024", "0x1024", "1024x0", "01024x1024", "-1x1", "１:１", "1.5:1"),
        *(1024, [1, 1], True),
    ],
)
def test_an_unsupported_size_is_refused(icodeeasy: Caller, size: Any) -> None:
    refused(icodeeasy, "size", size=size)


@pytest.mark.claim("IC-SIZE-2")
@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ("1536x1024", "3:2"),
        ("1024x1536", "2:3"),
        ("1024x1024", "1:1"),
        ("1792x1024", "16:9"),
        ("1024x1792", "9:16"),
        ("1920x1080", "16:9"),
        ("1x1", "1:1"),
        ("9000x100", "21:9"),
        ("100x9000", "9:21"),
        ("1280x1024", "5:4"),
        ("2000x1000", "2:1"),
    ],
)
def test_pixels_mean_the_nearest_ratio(icodeeasy: Caller, size: str, ratio: str) -> None:
    shapes = [
        read_picture(icodeeasy.scene.http, icodeeasy.generate(size=text).json()["data"][0]["url"])
        for text in (size, ratio)
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.claim("IC-SIZE-2", "IC-RES-1")
@given(width=st.integers(1, 5000), height=st.integers(1, 5000))
def test_any_pixels_mean_the_ratio_at_the_least_logarithmic_distance(house: Scene, width: int, height: int) -> None:
    def distance(ratio: str) -> float:
        return abs(log(width / height) - log(value(ratio)))

    assert Caller(house, "icodeeasy", "sk_sizes").generate(size=f"{width}x{height}").status_code == 200
    (task,) = house.mock("tasks", provider="icodeeasy", limit=1)["tasks"]
    nearest = min(RATIOS, key=lambda ratio: abs(log(task["width"] / task["height"]) - log(value(ratio))))
    assert distance(nearest) <= min(map(distance, RATIOS)) + 1e-9


@pytest.mark.claim("IC-RES-1", "ALL-TYPE-1")
@pytest.mark.parametrize("resolution", ["4k", "1K", "2K", "", "1024", 1, ["1k"]])
def test_another_resolution_is_refused(icodeeasy: Caller, resolution: Any) -> None:
    refused(icodeeasy, "resolution", resolution=resolution)


@pytest.mark.claim("IC-QUAL-1", "ALL-TYPE-1")
@pytest.mark.parametrize("quality", ["hd", "standard", "Low", "HIGH", "", 1, ["low"]])
def test_another_quality_is_refused(icodeeasy: Caller, quality: Any) -> None:
    refused(icodeeasy, "quality", quality=quality)


@pytest.mark.claim("IC-QUAL-1")
def test_quality_does_not_change_the_picture(icodeeasy: Caller) -> None:
    for quality in ("low", "medium", "high", "auto"):
        url = icodeeasy.generate(quality=quality).json()["data"][0]["url"]
        assert read_picture(icodeeasy.scene.http, url) == (1024, 1024)


@pytest.mark.claim("IC-FMT-1", "CLIENT-EXTRA-1")
@pytest.mark.parametrize("response_format", ["b64_json", "url", "nonsense", 5, None, []])
def test_the_answer_has_urls_whatever_the_response_format(icodeeasy: Caller, response_format: Any) -> None:
    (image,) = icodeeasy.generate(response_format=response_format, user="u", background="opaque").json()["data"]
    assert image.keys() == {"url"}


@pytest.mark.claim("ALL-TYPE-1", "CLIENT-FORM-1", "IC-BODY-1")
@pytest.mark.parametrize(
    "fields",
    [{"n": "two"}, {"n": "11"}, {"n": "1.5"}, {"size": "7:5"}, {"resolution": "4k"}, {"quality": "hd"}, {"model": "x"}],
)
def test_a_wrong_form_field_is_refused(icodeeasy: Caller, fields: dict[str, str]) -> None:
    answer = icodeeasy.form([("image", fixture("reference.png"))], **fields)
    assert_icodeeasy_error(answer, 400, "invalid_request_error", next(iter(fields)))
    assert icodeeasy.untouched()
