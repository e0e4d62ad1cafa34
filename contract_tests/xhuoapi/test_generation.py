"""xhuoapi: models, answers and pictures."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ..client import Client
from ..exchange import Call
from ..library import exchanges, sizes
from ..marks import CORE, VARIANT, claim, mock_only, paid
from ..shapes import assert_same_shape
from ..target import Kind
from . import api

EXAMPLES = {
    name: entry
    for name, entry in exchanges("xhuoapi").items()
    if "request" in entry and "callback_url" not in entry["request"]["body"]
}
LINK_HOURS = 24


@claim(
    "XH-EP-1", "XH-MODEL-1", "XH-RESP-1", "XH-RESP-2", "XH-RESP-3", "XH-FMT-1", "XH-QUAL-1", "XH-STYLE-1", "XH-SIZE-6"
)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=paid(**entry["request"]["body"])) for name, entry in EXAMPLES.items()]
)
def test_documented_examples(client: Client, name: str) -> None:
    request = EXAMPLES[name]["request"]
    answer = client.post(request["path"], request["body"])
    documented = EXAMPLES[name].get("response") or exchanges("xhuoapi")["portrait"]["response"]
    assert answer.status == documented["status"]
    assert_same_shape(documented["body"], answer.json())


@claim("XH-MODEL-1", "XH-EP-1", "XH-RESP-1", "XH-RESP-2", "XH-RESP-3")
@paid(priority=CORE, model="$model")
@pytest.mark.parametrize("model", api.MODELS)
def test_each_model(client: Client, model: str) -> None:
    found = api.generated(client, model=model)
    ruled = model in ("dall-e-2", "gpt-image-1", "gpt-image-1.5")
    assert client.is_mock or not ruled or found["data"]
    if client.is_mock or not ruled:
        assert found == api.pictures(model)
    assert client.picture(found["data"][0]["url"]).width > 0


@claim("XH-RESP-1")
@paid(priority=CORE, model="gpt-image-2")
def test_a_link_contains_the_task_id_and_needs_no_key(client: Client) -> None:
    found = api.generated(client)
    assert urlsplit(found["data"][0]["url"]).path.endswith(f"/gpt-image/{found['task_id']}_0.png")
    assert client.fetch(found["data"][0]["url"]).status == 200


@claim("XH-RESP-1")
@mock_only
def test_a_link_is_permanent(client: Client, suite: Any) -> None:
    url = api.generated(client)["data"][0]["url"]
    suite.control(client).advance(365 * 24 * 3600)
    assert client.fetch(url).status == 200


@claim("XH-RESP-5")
@paid(model="dall-e-3")
def test_links_of_dall_e_3_are_signed_for_a_day(client: Client) -> None:
    if client.target.kind is Kind.REPLAY:
        pytest.skip("a recording keeps no signed parameters")
    found = api.generated(client, model="dall-e-3")
    query = parse_qs(urlsplit(found["data"][0]["url"]).query)
    if not client.is_mock and "se" not in query:
        pytest.skip("one edition of the document shows unsigned links")
    expiry = datetime.fromisoformat(query["se"][0]).timestamp()
    assert query.keys() >= {*["se", "sig", "ske", "skoid", "sks", "skt", "sktid", "skv", "sp", "spr", "sr", "sv"]}
    assert expiry - found["created"] == pytest.approx(LINK_HOURS * 3600, abs=60)


@claim("XH-RESP-5")
@mock_only
def test_links_of_dall_e_3_end(client: Client, suite: Any) -> None:
    url = api.generated(client, model="dall-e-3")["data"][0]["url"]
    assert re.search(r"/private/images/[0-9a-f-]{36}/generated_00\.png$", urlsplit(url).path)
    suite.control(client).advance(LINK_HOURS * 3600 - 1)
    assert client.fetch(url).status == 200
    suite.control(client).advance(2)
    assert client.fetch(url).status == 403


@claim("XH-RESP-6")
@pytest.mark.parametrize("prompt", ["한국어 간판이 있는 골목", "夕焼けの海", "  two  spaces\nand a line ", "a" * 2000])
@paid(model="gpt-image-2", priority=VARIANT)
def test_revised_prompt_of_gpt_image_2_is_the_prompt(client: Client, prompt: str) -> None:
    assert api.generated(client, prompt=prompt)["data"][0]["revised_prompt"] == prompt


@claim("XH-RESP-6")
@paid(model="dall-e-3")
@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_revised_prompt_of_dall_e_3_is_longer(client: Client, form: str) -> None:
    found = api.generated(client, model="dall-e-3", prompt="A cute baby sea otter", response_format=form)
    revised = found["data"][0]["revised_prompt"]
    assert len(revised) > len("A cute baby sea otter")
    assert not client.is_mock or "A cute baby sea otter" in revised


@claim("XH-RESP-2")
@paid(model="$model", priority=VARIANT)
@pytest.mark.parametrize("prompt", ["夕焼けの海", "a small red apple on a white table, photoreal"])
@pytest.mark.parametrize("model", api.NANO)
def test_revised_prompt_of_nano_banana_is_the_prompt(client: Client, model: str, prompt: str) -> None:
    assert api.generated(client, model=model, prompt=prompt) == api.pictures(model, prompt)


@claim("XH-OUT-1")
@pytest.mark.parametrize(
    "size",
    [
        pytest.param(size, marks=paid(model="gpt-image-2", size=size, priority=VARIANT))
        for row in sizes()["xhuoapi"]["gpt-image-2"]["recommended"].values()
        for size in row
    ],
)
def test_pixels_are_the_size_asked_or_its_alias(client: Client, size: str) -> None:
    found = client.picture(api.generated(client, size=size)["data"][0]["url"])
    width, _, height = size.partition("x")
    alias = sizes()["xhuoapi"]["gpt-image-2"]["alias_of"].get(size, size)
    assert found.size in (size, alias)
    assert found.ratio == pytest.approx(int(width) / int(height), rel=0.02)


@claim("XH-AUTH-1", "XH-ERR-1", "XH-ERR-2", "XH-ERR-5")
@pytest.mark.parametrize("header", [None, "Bearer", "Token abc", "sk-abc"])
@pytest.mark.parametrize("path", [api.GENERATIONS, api.EDITS])
def test_calls_without_a_token(client: Client, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = client.send(Call("POST", path, headers=headers, body=api.body()), authorize=False)
    assert (answer.status, answer.json()) == (401, api.error("invalid_token"))


@claim("XH-AUTH-1")
def test_an_unknown_token(client: Client) -> None:
    answer = api.generate(client.with_key("unknown-mock-401"))
    assert (answer.status, answer.json()) == (401, api.error("invalid_token"))
