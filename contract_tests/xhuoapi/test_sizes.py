"""xhuoapi: gpt-image-2's sizes, which pass, what they cost, and how the others are refused."""

from typing import Any

import pytest
from hypothesis import given

from .. import strategies
from ..client import Client
from ..library import sizes
from ..marks import VARIANT, claim, mock_only, paid
from ..mock import Control
from ..pricing import price_of
from . import api

TABLE = sizes()["xhuoapi"]["gpt-image-2"]
RECOMMENDED = [size for row in TABLE["recommended"].values() for size in row]
ONE_K = [row[0] for row in TABLE["recommended"].values()]


def _paid(size: str) -> Any:
    return pytest.param(size, marks=paid(model="gpt-image-2", size=size, priority=VARIANT))


@claim("XH-SIZE-1")
@paid(model="gpt-image-2")
@pytest.mark.parametrize("more", [{}, {"size": "auto"}, {"size": ""}], ids=["none", "auto", "empty"])
def test_default_sizes(client: Client, more: dict[str, str]) -> None:
    assert api.generated(client, **more) == api.pictures("gpt-image-2")


@claim("XH-SIZE-1")
@paid(model="gpt-image-2", priority=VARIANT)
def test_null_is_the_default_size(client: Client) -> None:
    answer = client.post(api.GENERATIONS, {**api.body(), "size": None})
    assert (answer.status, answer.json()) == (200, api.pictures("gpt-image-2"))


@claim("XH-SIZE-6")
@pytest.mark.parametrize("size", [_paid(size) for size in RECOMMENDED])
def test_recommended_sizes(client: Client, size: str) -> None:
    assert api.generated(client, size=size) == api.pictures("gpt-image-2")


@claim("XH-SIZE-4")
@pytest.mark.parametrize("size", [_paid(size) for size in TABLE["aliases"]])
def test_aliases(client: Client, size: str) -> None:
    assert api.generated(client, size=size) == api.pictures("gpt-image-2")


@claim("XH-SIZE-3")
@pytest.mark.parametrize("size", [_paid(size) for size in ["3840x2160", "2880x2880", "16x16", "3840x16", "1040x1040"]])
def test_sizes_on_the_limits(client: Client, size: str) -> None:
    assert api.generated(client, size=size) == api.pictures("gpt-image-2")


@claim("XH-SIZE-3")
@pytest.mark.parametrize(
    "size",
    [
        "800x600",
        "3856x16",
        "16x3856",
        "2336x3552",  # 8,297,472 pixels: the first number above the limit that two multiples of 16 make
        "3840x2176",
        "2896x2880",
        "1024x1025",
        "1032x1024",
        "1255x1254",
    ],
)
def test_sizes_beyond_the_limits(client: Client, size: str) -> None:
    answer = api.generate(client, size=size)
    assert 400 <= answer.status < 500, answer
    assert answer.json() == {**api.error("bad_request"), "error": answer.json()["error"]}


@claim("XH-SIZE-3")
@mock_only
@given(size=strategies.allowed_sizes())
def test_all_sizes_within_the_limits(client: Client, size: str) -> None:
    assert api.generated(client, size=size) == api.pictures("gpt-image-2")


@claim("XH-SIZE-3", "XH-SIZE-5")
@given(size=strategies.beyond_limits())
def test_all_sizes_beyond_the_limits(client: Client, size: str) -> None:
    answer = api.generate(client, size=size)
    assert 400 <= answer.status < 500, (size, answer)
    assert not client.is_mock or (answer.status, answer.json()) == (400, api.error("bad_request"))


@claim("XH-SIZE-5")
def test_the_limit_is_named(client: Client) -> None:
    assert "multiples of 16" in api.generate(client, size="800x600").json()["error"]["message"]


@claim("XH-SIZE-2")
@given(size=strategies.malformed_sizes())
def test_other_formats(client: Client, size: str) -> None:
    api.assert_refused(client, api.generate(client, size=size), "token_mismatched")


@claim("XH-SIZE-2", "XH-SIZE-5")
@mock_only
@given(size=strategies.odd_sizes())
def test_odd_formats(client: Client, size: str) -> None:
    api.assert_refused(client, api.generate(client, size=size), "token_mismatched")


@claim("XH-SIZE-9", "XH-PRICE-4")
@mock_only
def test_an_async_call_fails_later_for_a_limit(client: Client, control: Control) -> None:
    record = api.ended(client, api.submitted(client, size="800x600"))
    found = record["response"]
    assert (found["success"], found["error"]["code"]) == (False, "bad_request")
    assert control.spent() == 0


@claim("XH-SIZE-9")
@mock_only
@pytest.mark.parametrize(
    "more", [{"async": True}, {"callback_url": "https://hooks.example.com/h"}], ids=["async", "callback"]
)
def test_an_async_call_fails_at_once_for_the_format(client: Client, more: dict[str, Any]) -> None:
    api.assert_refused(client, api.generate(client, size="16:9", **more), "token_mismatched")


@claim("XH-SIZE-7")
@pytest.mark.parametrize(
    ("model", "size"),
    [
        pytest.param(model, size, marks=paid(model=model, size=size, priority=VARIANT))
        for model in api.DALL_E
        for size in sizes()["xhuoapi"][model]["sizes"]
    ],
)
def test_sizes_of_dall_e(client: Client, model: str, size: str) -> None:
    assert client.picture(api.generated(client, model=model, size=size)["data"][0]["url"]).size == size


@claim("XH-SIZE-7")
@pytest.mark.parametrize(
    ("model", "size"), [(model, size) for model in api.DALL_E for size in sizes()["xhuoapi"][model]["refused"]]
)
def test_other_sizes_of_dall_e(client: Client, model: str, size: str) -> None:
    answer = api.generate(client, model=model, size=size)
    api.assert_refused(client, answer, "bad_request")


@claim("XH-PRICE-1", "XH-SIZE-1", "XH-SIZE-4", "XH-SIZE-6")
@mock_only
@pytest.mark.parametrize("size", [None, "auto", "", *RECOMMENDED, *TABLE["aliases"], "1040x1040", "512x512", "16x16"])
def test_the_price_of_a_size(client: Client, control: Control, size: str | None) -> None:
    api.generated(client, size=size)
    standard = size in (None, "auto", "", *ONE_K, *TABLE["aliases"])
    assert str(control.spent().normalize()) == ("0.2" if standard else "0.3")


@claim("XH-PRICE-1", "XH-SIZE-3")
@mock_only
@given(size=strategies.allowed_sizes())
def test_the_price_of_any_size(client: Client, control: Control, size: str) -> None:
    before = control.spent()
    api.generated(client, size=size)
    assert control.spent() - before == price_of("xhuoapi", {"model": "gpt-image-2", "size": size})


@claim("XH-NANO-2")
@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ("1024x1024", 1),
        ("512x512", 1),
        ("256x256", 1),
        ("1792x1024", 16 / 9),
        ("1024x1792", 9 / 16),
        (None, 1),
        ("2048x2048", 1),
        ("1536x1024", 1),
        ("1:1", 1),
        ("16:9", 1),
        ("800x600", 1),
        ("large", 1),
        ("", 1),
    ],
)
@paid(model="nano-banana", priority=VARIANT)
def test_sizes_of_nano_banana(client: Client, size: str | None, ratio: float) -> None:
    found = client.picture(api.generated(client, model="nano-banana", size=size)["data"][0]["url"])
    assert found.ratio == pytest.approx(ratio, rel=0.05)


@claim("XH-NANO-2")
@mock_only
@given(size=strategies.nano_sizes())
def test_no_size_is_an_error_for_nano_banana(client: Client, size: str) -> None:
    found = api.generated(client, model="nano-banana-2", size=size)
    assert client.picture(found["data"][0]["url"]).ratio == 1
