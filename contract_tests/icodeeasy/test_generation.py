"""icodeeasy: requests that are taken, and those that are refused."""

from typing import Any

import pytest
from hypothesis import given

from ..client import Client
from ..exchange import Answer, Call
from ..library import data_url, exchanges, picture, sizes
from ..marks import CORE, VARIANT, claim, mock_only, paid
from ..mock import Control
from ..pricing import price_of
from ..shapes import assert_same_shape
from ..strategies import icodeeasy_faults, icodeeasy_requests
from . import api

TABLE = sizes()["icodeeasy"]["gpt-image-2"]
EXAMPLES = [name for name, entry in exchanges("icodeeasy").items() if entry.get("request", {}).get("method") == "POST"]
PATHS = ("/v1/images/generations", "/v1/images/edits", "/images/generations", "/images/edits")
URL = "https://example.com/photo.png"


def _send_example(client: Client, request: dict[str, Any]) -> Answer:
    if "form" in request:
        files = [(field, name, picture("reference.png"), "image/png") for field, name in request["files"]]
        return client.post_form(request["path"], request["form"], files)
    body = dict(request["body"])
    if "image_urls" in body:
        body["image_urls"] = [
            data_url("reference.png") if url.startswith("data:") else url for url in body["image_urls"]
        ]
    return client.post(request["path"], body, **request.get("query", {}))


@claim("IC-EP-1", "IC-BODY-1", "IC-SYNC-1", "IC-ASYNC-1", "IC-SIZE-2")
@paid(priority=CORE)
@pytest.mark.parametrize("name", EXAMPLES)
def test_documented_examples(client: Client, name: str) -> None:
    example = exchanges("icodeeasy")[name]
    answer = _send_example(client, example["request"])
    assert answer.status == example["response"]["status"]
    assert_same_shape(example["response"]["body"], answer.json())


@claim("IC-SYNC-1", "IC-FILE-1")
@paid(priority=CORE)
def test_a_sync_answer(client: Client) -> None:
    answer = api.generate(client)
    assert (answer.status, answer.json()) == (200, api.pictures())
    assert answer.json()["data"][0]["url"].endswith(f"/{answer.json()['id']}-1.png")


@claim("IC-EP-1")
@paid(priority=VARIANT)
@pytest.mark.parametrize("more", [{}, {"image_urls": [URL]}], ids=["text", "reference"])
@pytest.mark.parametrize("path", PATHS)
def test_all_paths_do_the_same(client: Client, path: str, more: dict[str, Any]) -> None:
    answer = client.post(path, api.body(**more))
    assert (answer.status, answer.json()) == (200, api.pictures())


@claim("IC-EP-1", "IC-BILL-1")
@mock_only
@pytest.mark.parametrize("more", [{}, {"image_urls": [URL]}], ids=["text", "reference"])
@pytest.mark.parametrize("path", PATHS)
def test_all_paths_cost_the_same(client: Client, control: Control, path: str, more: dict[str, Any]) -> None:
    client.post(path, api.body(**more))
    assert control.spent() == price_of("icodeeasy", {})


@claim("IC-AUTH-1", "IC-ERR-1")
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Basic dXNlcg==", "sk_contract", "Bearer pk_contract", "Bearer contract"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", api.GENERATIONS), ("GET", f"/v1/images/tasks/{api.UNKNOWN_TASK}")]
)
def test_calls_without_a_key(client: Client, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    body = api.body() if method == "POST" else None
    answer = client.send(Call(method, path, headers=headers, body=body), authorize=False)
    assert (answer.status, answer.json()) == (401, api.error("authentication_error"))


@claim("IC-AUTH-1")
def test_an_unknown_key(client: Client) -> None:
    answer = api.generate(client.with_key("sk_unknown-mock-401"))
    assert (answer.status, answer.json()) == (401, api.error("authentication_error"))


@claim("IC-MODEL-1", "IC-ERR-1")
@pytest.mark.parametrize("model", [None, "gpt-image-1", "dall-e-3", "gpt-image-2-beta", "GPT-IMAGE-2"])
def test_other_models(client: Client, model: str | None) -> None:
    api.assert_invalid(api.generate(client, model=model))


@claim("IC-PROMPT-1")
def test_prompt_is_required(client: Client) -> None:
    api.assert_invalid(client.post(api.GENERATIONS, {"model": api.MODEL}))


@claim("IC-PROMPT-1", "IC-BODY-1")
def test_prompt_is_required_in_a_form(client: Client) -> None:
    files = [("image[]", "a.png", picture("reference.png"), "image/png")]
    api.assert_invalid(client.post_form(api.EDITS, {"model": api.MODEL}, files))


@claim("IC-N-1")
@paid(n=2)
def test_n_pictures(client: Client) -> None:
    assert api.generated(client, n=2) == api.pictures(2)


@claim("IC-N-1", "IC-BILL-1")
@mock_only
@pytest.mark.parametrize("n", [None, 1, 2, 10])
def test_each_picture_is_charged(client: Client, control: Control, n: int | None) -> None:
    assert api.generated(client, n=n) == api.pictures(n or 1)
    assert control.spent() == price_of("icodeeasy", {"n": n or 1})


@claim("IC-N-1")
@mock_only
@pytest.mark.parametrize("n", [-1, 0, 11])
def test_other_numbers_of_pictures(client: Client, n: int) -> None:
    api.assert_invalid(api.generate(client, n=n))


@claim("IC-SIZE-1", "IC-RES-1")
@paid(priority=VARIANT)
@pytest.mark.parametrize("resolution", TABLE["resolutions"])
@pytest.mark.parametrize("ratio", TABLE["ratios"])
def test_every_ratio_in_every_resolution(client: Client, ratio: str, resolution: str) -> None:
    found = client.picture(api.generated(client, size=ratio, resolution=resolution)["data"][0]["url"])
    width, _, height = ratio.partition(":")
    assert found.ratio == pytest.approx(int(width) / int(height), rel=0.02 if client.is_mock else 0.05)


@claim("IC-SIZE-1")
@paid(priority=VARIANT)
@pytest.mark.parametrize("size", [None, "auto"])
def test_auto_and_default_are_square(client: Client, size: str | None) -> None:
    assert client.picture(api.generated(client, size=size)["data"][0]["url"]).ratio == 1


@claim("IC-SIZE-1")
@pytest.mark.parametrize("size", ["7:5", "16:10", "1:3", "3:1", "22:9", "1:", "wide"])
def test_unsupported_ratios(client: Client, size: str) -> None:
    api.assert_invalid(api.generate(client, size=size))


@claim("IC-SIZE-2")
@paid(priority=VARIANT)
@pytest.mark.parametrize(("size", "ratio"), [("1536x1024", 1.5), ("1024x1024", 1), ("1024x1536", 2 / 3)])
def test_pixel_strings(client: Client, size: str, ratio: float) -> None:
    found = client.picture(api.generated(client, size=size)["data"][0]["url"])
    assert found.ratio == pytest.approx(ratio, rel=0.05)


@claim("IC-RES-1")
@paid(calls=3, priority=VARIANT)
def test_2k_is_larger_and_1k_the_default(client: Client) -> None:
    made = [api.generated(client, resolution=resolution) for resolution in (None, "1k", "2k")]
    default, small, large = (client.picture(one["data"][0]["url"]) for one in made)
    assert default.size == small.size
    assert large.width * large.height > 2 * small.width * small.height


@claim("IC-RES-1")
@mock_only
@pytest.mark.parametrize(("resolution", "pixels"), [("1k", 1024**2), ("2k", 2048**2)])
@pytest.mark.parametrize("ratio", TABLE["ratios"])
def test_the_pixels_of_a_resolution(client: Client, ratio: str, resolution: str, pixels: int) -> None:
    found = client.picture(api.generated(client, size=ratio, resolution=resolution)["data"][0]["url"])
    width, _, height = ratio.partition(":")
    assert (found.width % 16, found.height % 16) == (0, 0)
    assert found.width * found.height == pytest.approx(pixels, rel=0.1)
    assert found.ratio == pytest.approx(int(width) / int(height), rel=0.02)


@claim("IC-RES-1")
@pytest.mark.parametrize("resolution", ["4k", "1", "2", "high", "1024"])
def test_other_resolutions(client: Client, resolution: str) -> None:
    api.assert_invalid(api.generate(client, resolution=resolution))


@claim("IC-QUAL-1", "IC-BILL-1")
@mock_only
@pytest.mark.parametrize("resolution", ["1k", "2k"])
@pytest.mark.parametrize("quality", [None, *TABLE["qualities"]])
def test_quality_decides_the_price_alone(
    client: Client, control: Control, quality: str | None, resolution: str
) -> None:
    found = client.picture(api.generated(client, quality=quality, resolution=resolution)["data"][0]["url"])
    expected = client.picture(api.generated(client.with_key(f"{client.key}b"), resolution=resolution)["data"][0]["url"])
    assert found.size == expected.size
    assert control.spent() == price_of("icodeeasy", {"quality": quality})


@claim("IC-QUAL-1")
@mock_only
@pytest.mark.parametrize("quality", ["hd", "standard", "MEDIUM"])
def test_other_qualities(client: Client, quality: str) -> None:
    api.assert_invalid(api.generate(client, quality=quality))


@claim("IC-REF-1")
@paid(priority=VARIANT)
@pytest.mark.parametrize("name", ["image_urls", "image_input"])
def test_sixteen_references_mixed(client: Client, name: str) -> None:
    inline = [
        data_url("reference.png"),
        data_url("reference.jpg", "image/jpeg"),
        data_url("reference.webp", "image/webp"),
    ]
    answer = client.post(api.EDITS, api.body(**{name: [URL] * 13 + inline}))
    assert (answer.status, answer.json()) == (200, api.pictures())


@claim("IC-REF-1")
@pytest.mark.parametrize("name", ["image_urls", "image_input"])
@pytest.mark.parametrize(
    "references",
    [
        [URL] * 17,
        ["http://example.com/photo.png"],
        [URL, "http://example.com/photo.png"],
        ["data:image/png;base64,%%%"],
        ["data:image/png;base64,abc"],
        ["data:image/png,abcd"],
        ["data:text/plain;base64,aGVsbG8="],
        ["photo.png"],
    ],
    ids=["17", "http", "mixed-http", "no-base64", "cut-base64", "not-base64", "text", "name"],
)
def test_refused_references(client: Client, name: str, references: list[str]) -> None:
    api.assert_invalid(client.post(api.EDITS, api.body(**{name: references})))


@claim("IC-BODY-1", "IC-REF-1")
@paid(priority=VARIANT, n=2)
def test_a_form_with_files_and_numbers_as_text(client: Client) -> None:
    kinds = (("reference.png", "image/png"), ("reference.jpg", "image/jpeg"), ("reference.webp", "image/webp"))
    files = [("image[]", name, picture(name), kind) for name, kind in kinds]
    answer = client.post_form(api.EDITS, api.body(n="2", size="3:2", resolution="1k", quality="medium"), files)
    assert (answer.status, answer.json()) == (200, api.pictures(2))


@claim("IC-BODY-1", "IC-REF-1")
@mock_only
def test_sixteen_files(client: Client) -> None:
    files = [("image[]", f"{number}.png", picture("reference.png"), "image/png") for number in range(16)]
    assert client.post_form(api.GENERATIONS, api.body(), files).status == 200


@claim("IC-REF-1", "IC-BODY-1")
def test_seventeen_files(client: Client) -> None:
    files = [("image[]", f"{number}.png", picture("reference.png"), "image/png") for number in range(17)]
    api.assert_invalid(client.post_form(api.EDITS, api.body(), files))


@claim("IC-REF-1")
@mock_only
@pytest.mark.parametrize(("count", "accepted"), [(16, True), (17, False)])
def test_both_names_and_files_are_counted_together(client: Client, count: int, accepted: bool) -> None:
    """URLs under the two names, and a URL and files in one form."""
    in_json = client.post(api.EDITS, api.body(image_urls=[URL] * 8, image_input=[URL] * (count - 8)))
    files = [("image[]", f"{number}.png", picture("reference.png"), "image/png") for number in range(count - 1)]
    for answer in (in_json, client.post_form(api.EDITS, api.body(image_urls=URL), files)):
        if accepted:
            assert (answer.status, answer.json()) == (200, api.pictures())
        else:
            api.assert_invalid(answer)


@claim("IC-FMT-1")
@paid()
def test_never_base64(client: Client) -> None:
    assert api.generated(client, response_format="b64_json") == api.pictures()


@claim("IC-EP-1", "IC-SYNC-1", "IC-SIZE-1", "IC-BILL-1", "IC-N-1", "IC-FMT-1")
@mock_only
@given(request=icodeeasy_requests())
def test_valid_requests_cost_what_is_documented(client: Client, control: Control, request: dict[str, Any]) -> None:
    before = control.spent()
    answer = client.post(api.GENERATIONS, request)
    assert (answer.status, answer.json()) == (200, api.pictures(request.get("n", 1)))
    assert control.spent() - before == price_of("icodeeasy", request)


@claim("IC-ERR-1", "IC-SIZE-1", "IC-RES-1", "IC-MODEL-1", "IC-REF-1")
@given(fault=icodeeasy_faults())
def test_invalid_requests_are_refused(client: Client, fault: dict[str, Any]) -> None:
    api.assert_invalid(api.generate(client, **fault))
