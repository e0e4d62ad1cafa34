"""The borders of each rule, over plain HTTP."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from mockserver.server import MockServer
from mockserver_openai_images import PROVIDER

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"


def generate(http: httpx.Client, **fields: Any) -> httpx.Response:
    return http.post(GENERATIONS, json={"prompt": "an otter", **fields})


def refused(answer: httpx.Response) -> tuple[int, str | None, str | None]:
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return answer.status_code, error["code"], error["param"]


def captured(mock: MockServer, key: str = PROVIDER.example.key) -> Decimal:
    url = f"{mock.root_url}/_mock/accounts/{key}"
    return Decimal(httpx.get(url, params={"provider": PROVIDER.name}).json()["captured"])


PRICES = [
    ({"model": "gpt-image-1", "quality": "low"}, "0.011"),
    ({"model": "gpt-image-1"}, "0.042"),
    ({"model": "gpt-image-1", "quality": "high", "size": "1024x1536", "n": 3}, "0.75"),
    ({"model": "dall-e-3"}, "0.04"),
    ({"model": "dall-e-3", "quality": "hd", "size": "1792x1024"}, "0.12"),
    ({"model": "dall-e-2", "size": "256x256", "n": 10}, "0.16"),
    ({}, "0.02"),
    ({"prompt": "[mock:fail]"}, "0"),
    ({"n": 11}, "0"),
]


@pytest.mark.claim("OI-BILL-1", "OI-QUAL-1", "OI-MODEL-1")
@pytest.mark.parametrize(("fields", "price"), PRICES)
def test_prices(mock: MockServer, http: httpx.Client, fields: dict[str, Any], price: str) -> None:
    before = captured(mock)
    generate(http, **fields)
    assert captured(mock) - before == Decimal(price)


@pytest.mark.claim("OI-N-1", "OI-SIZE-1", "OI-MODEL-1", "OI-FIELD-1", "OI-PROMPT-1")
@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"n": 0}, "invalid_value", "n"),
        ({"n": "1"}, "invalid_value", "n"),
        ({"model": "dall-e-3", "n": 2}, "invalid_value", "n"),
        ({"size": "auto"}, "invalid_value", "size"),
        ({"model": 1}, "invalid_value", "model"),
        ({"model": "dall-e-2", "style": "vivid"}, "unknown_parameter", "style"),
        ({"model": "gpt-image-1", "response_format": "url"}, "unknown_parameter", "response_format"),
        ({"prompt": None}, "missing_required_parameter", "prompt"),
        ({"prompt": "x" * 1001}, "invalid_value", "prompt"),
        ({"stream": True}, "invalid_value", "stream"),
    ],
)
def test_refused_requests(http: httpx.Client, fields: dict[str, Any], code: str, param: str) -> None:
    assert refused(generate(http, **fields)) == (400, code, param)


@pytest.mark.claim("OI-FIELD-1")
def test_fields_that_no_model_has_are_ignored(http: httpx.Client) -> None:
    assert generate(http, user="u", nothing=1).status_code == 200


def picture(kind: str, width: int, height: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height)).save(file, kind)
    return file.getvalue()


@pytest.mark.claim("OI-EDIT-1")
@pytest.mark.parametrize(
    ("model", "field", "data", "status"),
    [
        ("dall-e-2", "image", picture("PNG", 32, 32), 200),
        ("dall-e-2", "image", picture("PNG", 32, 33), 400),
        ("dall-e-2", "image", picture("JPEG", 32, 32), 400),
        ("gpt-image-1", "image", picture("JPEG", 32, 33), 200),
        ("gpt-image-1", "image", picture("WEBP", 32, 33), 200),
        ("gpt-image-1", "mask", picture("JPEG", 32, 32), 400),
        ("gpt-image-1", "image", b"no picture", 400),
    ],
)
def test_what_an_edit_takes(http: httpx.Client, model: str, field: str, data: bytes, status: int) -> None:
    files = [("image", picture("PNG", 32, 32))] if field == "mask" else []
    answer = http.post(EDITS, data={"model": model, "prompt": "p"}, files=[*files, (field, data)])
    assert answer.status_code == status, answer.text
    if status == 400:
        assert refused(answer) == (400, "invalid_value", field)


@pytest.mark.claim("OI-EDIT-1", "OI-ERR-1")
def test_an_edit_is_a_form(http: httpx.Client) -> None:
    answer = http.post(EDITS, json={"prompt": "p", "image": "x"})
    assert refused(answer) == (400, None, None)


@pytest.mark.claim("OI-OUT-2")
def test_a_link_expires(mock: MockServer, http: httpx.Client) -> None:
    url = generate(http).json()["data"][0]["url"]
    httpx.post(f"{mock.root_url}/_mock/clock/advance", json={"seconds": 3_599})
    assert httpx.get(url).status_code == 200
    httpx.post(f"{mock.root_url}/_mock/clock/advance", json={"seconds": 1})
    assert httpx.get(url).status_code == 403


@pytest.mark.claim("OI-LAT-1")
def test_durations() -> None:
    assert PROVIDER.latencies["gpt-image-1"] == (20.0, 120.0)
