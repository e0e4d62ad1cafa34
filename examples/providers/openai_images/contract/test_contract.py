"""openai_images: what its documents say, asked over HTTP of whatever the suite is pointed at."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract_tests.client import Client
from contract_tests.exchange import Answer, Call
from contract_tests.library import exchanges, latencies, picture, sizes
from contract_tests.marks import CORE, VARIANT, claim, mock_only, paid
from contract_tests.mock import Control
from contract_tests.pictures import picture_in_base64
from contract_tests.pricing import price_of
from contract_tests.shapes import assert_same_shape, is_text

NAME, GENERATIONS, EDITS = "openai_images", "/v1/images/generations", "/v1/images/edits"
PROMPT = "A cute baby sea otter"
TABLES = sizes()[NAME]
SIZES = [(model, size) for model, table in TABLES.items() for size in table["sizes"]]
REFUSED_SIZES = [(model, size) for model, table in TABLES.items() for size in table["refused"]]
QUALITIES = [(model, quality) for model, table in TABLES.items() for quality in table["qualities"]]


def generate(client: Client, **fields: Any) -> Answer:
    return client.post(GENERATIONS, {"prompt": PROMPT, **fields})


def error(code: str | None = "invalid_value", param: str | None = None, kind: str = "invalid_request_error") -> Any:
    return {"error": {"message": is_text(), "type": kind, "param": param, "code": code}}


def measured(client: Client, answer: Answer) -> list[str]:
    """The sizes of an answer's pictures."""
    assert answer.status == 200, answer
    found = []
    for image in answer.json()["data"]:
        seen = client.picture(image["url"]) if "url" in image else picture_in_base64(image["b64_json"])
        assert seen is not None
        found.append(seen.size)
    return found


@claim("OI-EP-1", "OI-OUT-1", "OI-USAGE-1")
@paid(priority=CORE, model="dall-e-2", n=2)
@pytest.mark.parametrize("name", exchanges(NAME))
def test_documented_examples(client: Client, name: str) -> None:
    example = exchanges(NAME)[name]
    answer = client.post(example["request"]["path"], example["request"]["body"])
    assert answer.status == example["response"]["status"]
    assert_same_shape(example["response"]["body"], answer.json())


@claim("OI-SIZE-1")
@paid(priority=VARIANT, model="$model", size="$size")
@pytest.mark.parametrize(("model", "size"), SIZES)
def test_every_size(client: Client, model: str, size: str) -> None:
    assert measured(client, generate(client, model=model, size=size)) == [size]


@claim("OI-SIZE-1", "OI-ERR-1")
@pytest.mark.parametrize(("model", "size"), REFUSED_SIZES)
def test_refused_sizes(client: Client, model: str, size: str) -> None:
    answer = generate(client, model=model, size=size)
    assert (answer.status, answer.json()) == (400, error(param="size"))


@claim("OI-QUAL-1", "OI-BILL-1")
@mock_only
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize(("model", "quality"), QUALITIES)
def test_quality_and_size_decide_the_price(
    client: Client, control: Control, model: str, quality: str, large: bool
) -> None:
    fields = {"model": model, "quality": quality, "size": TABLES[model]["sizes"][-1 if large else 0]}
    assert generate(client, **fields).status == 200
    assert control.spent() == price_of(NAME, fields)


@claim("OI-QUAL-1")
@pytest.mark.parametrize(("model", "quality"), [("gpt-image-1", "hd"), ("dall-e-3", "high"), ("dall-e-2", "hd")])
def test_refused_qualities(client: Client, model: str, quality: str) -> None:
    answer = generate(client, model=model, quality=quality)
    assert (answer.status, answer.json()) == (400, error(param="quality"))


@claim("OI-MODEL-1")
@paid(priority=VARIANT, model="gpt-image-1")
def test_a_field_of_gpt_image_1_makes_it_the_model(client: Client) -> None:
    assert "url" in generate(client).json()["data"][0]
    assert "b64_json" in generate(client, output_format="jpeg").json()["data"][0]


@claim("OI-MODEL-1")
@pytest.mark.parametrize("model", ["gpt-image-0", "DALL-E-3", ""])
def test_unknown_models(client: Client, model: str) -> None:
    answer = generate(client, model=model)
    assert (answer.status, answer.json()) == (400, error(param="model"))


@claim("OI-PROMPT-1")
@pytest.mark.parametrize("model", TABLES)
def test_prompts(client: Client, model: str) -> None:
    answer = generate(client, model=model, prompt="x" * (TABLES[model]["longest_prompt"] + 1))
    assert (answer.status, answer.json()) == (400, error(param="prompt"))
    answer = client.post(GENERATIONS, {"model": model})
    assert (answer.status, answer.json()) == (400, error("missing_required_parameter", "prompt"))


@claim("OI-PROMPT-1")
@mock_only
@pytest.mark.parametrize("model", TABLES)
def test_the_longest_prompt(client: Client, model: str) -> None:
    assert generate(client, model=model, prompt="x" * TABLES[model]["longest_prompt"]).status == 200


@claim("OI-N-1", "OI-BILL-1")
@mock_only
@pytest.mark.parametrize("model", TABLES)
def test_n(client: Client, control: Control, model: str) -> None:
    most = TABLES[model]["most"]
    assert len(measured(client, generate(client, model=model, n=most))) == most
    assert control.spent() == price_of(NAME, {"model": model, "n": most})
    for wrong in (0, most + 1):
        answer = generate(client, model=model, n=wrong)
        assert (answer.status, answer.json()) == (400, error(param="n"))


@claim("OI-FIELD-1")
@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("gpt-image-1", "response_format", "url"),
        ("gpt-image-1", "style", "vivid"),
        ("dall-e-3", "background", "opaque"),
        ("dall-e-3", "output_format", "png"),
        ("dall-e-2", "moderation", "low"),
    ],
)
def test_fields_of_another_model(client: Client, model: str, field: str, value: str) -> None:
    answer = generate(client, model=model, **{field: value})
    assert (answer.status, answer.json()) == (400, error("unknown_parameter", field))


@claim("OI-FIELD-1")
def test_a_transparent_background_needs_a_format_that_has_one(client: Client) -> None:
    answer = generate(client, model="gpt-image-1", background="transparent", output_format="jpeg")
    assert (answer.status, answer.json()) == (400, error(param="background"))


@claim("OI-OUT-1", "OI-OUT-2")
@paid(priority=VARIANT, model="dall-e-2")
@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_response_formats(client: Client, form: str) -> None:
    answer = generate(client, model="dall-e-2", response_format=form)
    assert list(answer.json()["data"][0]) == [form]
    assert measured(client, answer) == ["1024x1024"]


@claim("OI-OUT-1")
@paid(priority=VARIANT, model="gpt-image-1")
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_output_formats(client: Client, form: str) -> None:
    body = generate(client, model="gpt-image-1", output_format=form).json()
    seen = picture_in_base64(body["data"][0]["b64_json"])
    assert seen is not None
    assert (seen.format.lower(), body["output_format"]) == (form, form)


@claim("OI-OUT-3")
@paid(priority=VARIANT, model="dall-e-3")
def test_dall_e_3_revises_prompts(client: Client) -> None:
    assert generate(client, model="dall-e-3").json()["data"][0]["revised_prompt"] == is_text()


@claim("OI-USAGE-1")
@mock_only
@pytest.mark.parametrize("quality", TABLES["gpt-image-1"]["output_tokens"])
def test_output_tokens(client: Client, quality: str) -> None:
    for size, tokens in zip(
        TABLES["gpt-image-1"]["sizes"], TABLES["gpt-image-1"]["output_tokens"][quality], strict=True
    ):
        usage = generate(client, model="gpt-image-1", quality=quality, size=size, n=2).json()["usage"]
        assert usage["output_tokens"] == 2 * tokens
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert usage["input_tokens"] == sum(usage["input_tokens_details"].values())


@claim("OI-EDIT-1")
@paid(model="gpt-image-1")
@pytest.mark.parametrize("count", [1, 16])
def test_edits(client: Client, count: int) -> None:
    field = "image" if count == 1 else "image[]"
    files = [(field, f"{number}.png", picture("reference.png"), "image/png") for number in range(count)]
    answer = client.post_form(EDITS, {"model": "gpt-image-1", "prompt": PROMPT}, files)
    assert measured(client, answer) == ["1024x1024"]


@claim("OI-EDIT-1", "OI-ERR-1")
def test_refused_edits(client: Client) -> None:
    png = picture("reference.png")
    cases: list[tuple[dict[str, str], list[tuple[str, str, bytes, str]], str]] = [
        ({"model": "gpt-image-1"}, [("image[]", f"{n}.png", png, "image/png") for n in range(17)], "image"),
        ({"model": "dall-e-3"}, [("image", "a.png", png, "image/png")], "model"),
        ({"model": "dall-e-2"}, [("image", "oblong.png", png, "image/png")], "image"),
        ({"model": "gpt-image-1"}, [("image", "a.png", b"no picture", "image/png")], "image"),
    ]
    for fields, files, param in cases:
        answer = client.post_form(EDITS, {"prompt": PROMPT, **fields}, files)
        assert (answer.status, answer.json()) == (400, error(param=param))


@claim("OI-EDIT-1")
def test_an_edit_needs_an_image(client: Client) -> None:
    mask = [("mask", "m.png", picture("mask.png"), "image/png")]
    answer = client.post_form(EDITS, {"model": "gpt-image-1", "prompt": PROMPT}, mask)
    assert (answer.status, answer.json()) == (400, error("missing_required_parameter", "image"))


@claim("OI-AUTH-1")
@pytest.mark.parametrize("header", [None, "Bearer", "Basic dXNlcg==", "Bearer pk-wrong"])
def test_calls_without_a_key(client: Client, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = client.send(Call("POST", GENERATIONS, headers=headers, body={"prompt": PROMPT}), authorize=False)
    assert (answer.status, answer.json()) == (401, error("invalid_api_key"))


@claim("OI-ERR-1", "OI-ERR-2")
@mock_only
@pytest.mark.parametrize(
    ("ending", "status", "body"),
    [
        ("-mock-401", 401, error("invalid_api_key")),
        ("-mock-402", 429, error("insufficient_quota", kind="insufficient_quota")),
        ("-mock-429", 429, error("rate_limit_exceeded", kind="requests")),
        ("-mock-500", 500, error("server_error", kind="server_error")),
    ],
)
def test_errors_by_key(client: Client, ending: str, status: int, body: Any) -> None:
    answer = generate(client.with_key(client.key + ending))
    assert (answer.status, answer.json()) == (status, body)


@claim("OI-ERR-2", "OI-BILL-1")
@mock_only
@pytest.mark.parametrize(
    ("prompt", "status", "body"),
    [
        ("[mock:moderated]", 400, error("moderation_blocked", kind="image_generation_user_error")),
        ("[mock:fail]", 500, error("server_error", kind="server_error")),
        ("[mock:status=503]", 503, error("service_unavailable", kind="server_error")),
    ],
)
def test_what_fails_is_free(client: Client, control: Control, prompt: str, status: int, body: Any) -> None:
    answer = generate(client, prompt=prompt)
    assert (answer.status, answer.json()) == (status, body)
    assert control.spent() == 0


@claim("OI-OUT-2")
@mock_only
def test_links_live_for_an_hour(client: Client, control: Control) -> None:
    url = generate(client, model="dall-e-2").json()["data"][0]["url"]
    control.advance(3_599)
    assert client.picture(url).size == "1024x1024"
    control.advance(1)
    answer = client.fetch(url)
    assert (answer.status, answer.json()) == (403, error(None))


@claim("OI-LAT-1")
@mock_only
def test_the_longest_duration(slow_client: Client, slow_control: Control) -> None:
    longest = latencies()[NAME]["gpt-image-1"]["longest"]
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(generate, slow_client, model="gpt-image-1")
        while not (tasks := slow_control.tasks()):
            slow_client.pause(0.02)
        assert 0 < tasks[0]["due"] - tasks[0]["created"] <= longest
        slow_control.advance(longest)
        assert answer.result(20).status == 200
