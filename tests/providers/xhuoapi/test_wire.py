"""xhuoapi: answers and callbacks as whole bodies (XH-RESP, XH-CB, XH-OUT, XH-FMT)."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Serve
from dirty_equals import IsStr, IsUUID

from support.calls import ASYNC, Caller, pixels, read_picture
from support.errors import assert_xhuoapi_error
from support.receiver import receiver

from .test_models import GPT, MODELS, NANO, OPENAI

DAY = 24 * 3600


@pytest.mark.claim("XH-RESP-1", "XH-RESP-3", "XH-RESP-6")
@pytest.mark.parametrize("model", GPT)
def test_a_gpt_image_answer(xhuoapi: Caller, model: str) -> None:
    answer = xhuoapi.generate(model=model, prompt="  두 마리 여우 🦊\n")
    body = answer.json()
    assert body == {
        "success": True,
        "task_id": IsUUID(4),
        "created": int(xhuoapi.scene.now()),
        "data": [
            {
                "revised_prompt": "  두 마리 여우 🦊\n",
                "url": f"{xhuoapi.scene.root}/xhuoapi/gpt-image/{body['task_id']}_0.png",
            }
        ],
    }


@pytest.mark.claim("XH-RESP-1")
def test_a_gpt_image_link_is_permanent_and_needs_no_key(xhuoapi: Caller) -> None:
    url = xhuoapi.generate().json()["data"][0]["url"]
    xhuoapi.scene.advance(400 * DAY)
    assert read_picture(xhuoapi.scene.http, url) == (1254, 1254)


@pytest.mark.claim("XH-RESP-2", "XH-RESP-4", "XH-NANO-1")
@pytest.mark.parametrize("model", NANO)
def test_a_nano_answer(xhuoapi: Caller, model: str) -> None:
    body = xhuoapi.generate(model=model, prompt="a small red apple", seed=4).json()
    task_id = xhuoapi.tasks()[0]["id"]
    url = f"{xhuoapi.scene.root}/xhuoapi/nanobanana/{task_id}.png"
    assert body == {"created": 0, "data": [{"url": url, "revised_prompt": "a small red apple"}]}
    assert list(body["data"][0]) == ["url", "revised_prompt"]
    assert task_id == IsUUID(4)


@pytest.mark.claim("XH-RESP-3", "XH-RESP-6")
@pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3"])
def test_a_dalle_answer(xhuoapi: Caller, model: str) -> None:
    prompt = "A cute {baby} sea otter % \\1"
    body = xhuoapi.generate(model=model, prompt=prompt).json()
    assert body == {
        "created": int(xhuoapi.scene.now()),
        "data": [
            {"revised_prompt": IsStr(regex=r"(?s).*A cute \{baby\} sea otter % \\1.*"), "url": IsStr(regex="http://.*")}
        ],
    }
    assert len(body["data"][0]["revised_prompt"]) > len(prompt)


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
SIGNED_NAMES = ("sig", "ske", "skoid", "sks", "skt", "sktid", "skv", "sp", "spr", "sr", "sv")


@pytest.mark.claim("XH-RESP-5")
@pytest.mark.parametrize("model", ["dall-e-2", "dall-e-3"])
def test_a_dalle_link_is_signed_for_a_day(xhuoapi: Caller, model: str) -> None:
    body = xhuoapi.generate(model=model).json()
    url = urlsplit(body["data"][0]["url"])
    query = parse_qs(url.query, strict_parsing=True)
    assert url.path == f"/xhuoapi/private/images/{xhuoapi.tasks()[0]['id']}/generated_00.png"
    assert {name: values[0] for name, values in query.items()} == {
        "se": _iso(body["created"] + DAY),
        "sig": IsStr(min_length=40),
        "ske": IsStr(regex=TIME),
        "skoid": IsUUID,
        "sks": "b",
        "skt": IsStr(regex=TIME),
        "sktid": IsUUID,
        "skv": "2020-10-02",
        "sp": "r",
        "spr": "https",
        "sr": "b",
        "sv": "2020-10-02",
    }
    assert query["skt"][0] < _iso(body["created"]) < query["se"][0] <= query["ske"][0]


def _iso(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.claim("XH-RESP-5")
def test_a_dalle_link_ends_after_a_day(xhuoapi: Caller) -> None:
    http, url = xhuoapi.scene.http, xhuoapi.generate(model="dall-e-3").json()["data"][0]["url"]
    xhuoapi.scene.advance(DAY - 1)
    assert read_picture(http, url) == (1024, 1024)
    xhuoapi.scene.advance(1)
    assert_xhuoapi_error(http.get(url), 403, "forbidden")


@pytest.mark.claim("XH-RESP-5")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        *((f"&{name}=", f"&{name}=x") for name in SIGNED_NAMES),
        *((f"&{name}=", f"&x{name}=") for name in SIGNED_NAMES),
        *[("se=20", "se=99"), ("se=20", "se=0x"), ("se=20", "se=%EF%BC%92%EF%BC%90")],
        *[("se=20", "se=21"), ("sig=", "sig=A"), ("sig=", "gis="), ("se=", "es="), ("?", "?x=1#"), ("&sig", "&gis")],
    ],
)
def test_an_altered_dalle_link_is_forbidden(xhuoapi: Caller, old: str, new: str) -> None:
    url = xhuoapi.generate(model="dall-e-3").json()["data"][0]["url"]
    assert_xhuoapi_error(xhuoapi.scene.http.get(url.replace(old, new, 1)), 403, "forbidden")


@pytest.mark.claim("XH-RESP-5")
def test_a_dalle_signature_holds_for_its_own_picture_alone(xhuoapi: Caller) -> None:
    one, two = (xhuoapi.generate(model="dall-e-3").json()["data"][0]["url"] for _ in range(2))
    mixed = f"{one.partition('?')[0]}?{two.partition('?')[2]}"
    assert_xhuoapi_error(xhuoapi.scene.http.get(mixed), 403, "forbidden")


@pytest.mark.claim("XH-RESP-1", "XH-RESP-2")
@pytest.mark.parametrize(
    "path",
    [
        "/gpt-image/{id}_1.png",
        "/gpt-image/{id}_0.webp",
        "/gpt-image/{id}_x.png",
        "/gpt-image/{id}_-1.png",
        "/nanobanana/00000000-0000-4000-8000-000000000000.png",
    ],
)
def test_a_picture_that_does_not_exist_is_404(xhuoapi: Caller, path: str) -> None:
    task_id = xhuoapi.generate().json()["task_id"]
    answer = xhuoapi.scene.http.get(f"/xhuoapi{path.format(id=task_id)}")
    assert_xhuoapi_error(answer, 404, answer.json()["error"]["code"])


@pytest.mark.claim("XH-RESP-1")
def test_there_is_no_picture_before_the_end_or_of_a_failed_task(xhuoapi: Caller) -> None:
    for prompt in ("[mock:delay=9]", "[mock:fail]"):
        task_id = xhuoapi.generate(prompt=prompt, **ASYNC).json()["task_id"]
        assert xhuoapi.scene.http.get(f"/xhuoapi/gpt-image/{task_id}_0.png").status_code == 404


@pytest.mark.claim("XH-OUT-1", "XH-OUT-2")
@pytest.mark.parametrize(
    ("size", "documented"),
    [
        ("1024x1024", (1254, 1254)),
        ("auto", (1254, 1254)),
        ("", (1254, 1254)),
        (None, (1254, 1254)),
        ("1792x1024", (1672, 941)),
        ("1024x1792", (941, 1672)),
        ("1536x1024", (1536, 1024)),
        ("1024x1536", (1024, 1536)),
        ("1254x1254", (1254, 1254)),
        ("1672x941", (1672, 941)),
        ("2048x1152", (2048, 1152)),
        ("16x16", (16, 16)),
        ("3840x16", (3840, 16)),
    ],
)
def test_the_pixels_that_gpt_image_2_returns(xhuoapi: Caller, size: str | None, documented: tuple[int, int]) -> None:
    url = xhuoapi.generate(size=size).json()["data"][0]["url"]
    assert read_picture(xhuoapi.scene.http, url) == documented


@pytest.mark.claim("XH-OUT-2")
@pytest.mark.parametrize("size", ["1024x1024", "1792x1024", "1024x1792", "1254x1254", "2048x2048"])
def test_a_setting_makes_the_pixels_exact(serve: Serve, size: str) -> None:
    caller = Caller(serve(pixels="exact"), "xhuoapi", "k")
    url = caller.generate(size=size).json()["data"][0]["url"]
    assert read_picture(caller.scene.http, url) == tuple(map(int, size.split("x")))


@pytest.mark.claim("XH-OUTFMT-1")
@pytest.mark.parametrize("model", GPT)
@pytest.mark.parametrize(
    ("output_format", "content_type", "magic"),
    [("png", "image/png", b"\x89PNG"), ("jpeg", "image/jpeg", b"\xff\xd8\xff"), ("webp", "image/webp", b"RIFF")],
)
def test_output_format_decides_bytes_type_and_extension(
    xhuoapi: Caller, model: str, output_format: str, content_type: str, magic: bytes
) -> None:
    url = xhuoapi.generate(model=model, output_format=output_format).json()["data"][0]["url"]
    answer = xhuoapi.scene.http.get(url)
    assert url.endswith(f"_0.{output_format}")
    assert answer.headers["content-type"] == content_type
    assert answer.content.startswith(magic)


@pytest.mark.claim("XH-FMT-1", "XH-FMT-2", "XH-RESP-6")
@pytest.mark.parametrize("model", OPENAI)
def test_b64_json_is_the_picture_itself(xhuoapi: Caller, model: str) -> None:
    (image,) = xhuoapi.generate(model=model, prompt="otter", response_format="b64_json").json()["data"]
    assert image == {"b64_json": IsStr(regex=r"[A-Za-z0-9+/]+=*"), "revised_prompt": IsStr(regex=".*otter.*")}
    data = b64decode(image["b64_json"], validate=True)
    assert data.startswith(b"\x89PNG")
    assert pixels(data) == ((1254, 1254) if model == "gpt-image-2" else (1024, 1024))


@pytest.mark.claim("XH-FMT-2", "XH-N-2")
def test_b64_json_of_several_pictures(xhuoapi: Caller) -> None:
    body = xhuoapi.generate(model="dall-e-2", n=3, size="256x256", response_format="b64_json").json()
    assert len({image["b64_json"] for image in body["data"]}) == 3


@pytest.mark.claim("XH-SEED-1")
@pytest.mark.parametrize("model", ["gpt-image-2", "nano-banana"])
@pytest.mark.parametrize("fields", [{"seed": 2}, {"prompt": "another fox"}])
def test_the_picture_depends_on_prompt_and_seed(serve: Serve, model: str, fields: dict[str, Any]) -> None:
    """Two servers with the same seed get the same first call, except for its prompt or its `seed`."""
    pictures = []
    for more in ({"seed": 1}, {"seed": 1}, {"seed": 1, **fields}):
        caller = Caller(serve(), "xhuoapi", "k")
        pictures.append(caller.scene.http.get(caller.generate(model=model, **more).json()["data"][0]["url"]).content)
    assert pictures[0] == pictures[1]
    assert pictures[0] != pictures[2]


@pytest.mark.claim("XH-RESP-4")
def test_created_is_the_second_of_completion(xhuoapi: Caller) -> None:
    with receiver() as hook:
        start = int(xhuoapi.scene.now())
        xhuoapi.generate(model="dall-e-3", prompt="[mock:delay=90]", callback_url=hook.url)
        xhuoapi.scene.advance(100)
    assert hook.bodies[0]["data"]["created"] == start + 90


@pytest.mark.claim("XH-CB-1", "XH-CB-2", "XH-CB-3", "XH-NANO-1")
@pytest.mark.parametrize("model", MODELS)
def test_a_callback_contains_the_answer_of_the_sync_call(xhuoapi: Caller, model: str) -> None:
    with receiver() as hook:
        answer = xhuoapi.generate(model=model, callback_url=hook.url, prompt="[mock:delay=5] fox")
        assert (answer.status_code, answer.json()) == (200, {"task_id": IsUUID(4)})
        xhuoapi.scene.advance(4.9)
        assert hook.bodies == []
        xhuoapi.scene.advance(0.2)
    task_id = answer.json()["task_id"]
    record = xhuoapi.post("/v1/openai/tasks", {"action": "retrieve", "id": task_id}).json()
    flat = record["response"]
    assert hook.bodies == [
        {
            "success": True,
            "task_id": task_id,
            "trace_id": record["trace_id"],
            "data": {"created": flat["created"], "data": flat["data"]},
        }
    ]
    assert read_picture(xhuoapi.scene.http, flat["data"][0]["url"])


@pytest.mark.claim("XH-CB-2", "XH-CB-3")
def test_a_callback_is_json_without_a_signature(xhuoapi: Caller) -> None:
    with receiver() as hook:
        xhuoapi.generate(callback_url=hook.url)
        xhuoapi.scene.advance(1)
    names = {name.lower() for name in hook.headers[0]}
    assert hook.headers[0]["Content-Type"] == "application/json"
    assert not [name for name in names if "sign" in name or name.startswith("x-") or name == "authorization"]


@pytest.mark.claim("XH-FMT-2", "XH-CB-2")
@pytest.mark.parametrize("model", OPENAI)
def test_a_callback_carries_b64_json_too(xhuoapi: Caller, model: str) -> None:
    with receiver() as hook:
        xhuoapi.generate(model=model, callback_url=hook.url, response_format="b64_json")
        xhuoapi.scene.advance(1)
    (image,) = hook.bodies[0]["data"]["data"]
    assert image == {"b64_json": IsStr(), "revised_prompt": IsStr()}
    assert pixels(b64decode(image["b64_json"]))


@pytest.mark.claim("XH-CB-2", "XH-ERR-4", "XH-PRICE-4")
@pytest.mark.parametrize(
    ("directive", "code"),
    [("fail", "api_error"), ("moderated", "forbidden"), ("fail=timeout", "timeout"), ("fail=other", "other")],
)
def test_a_failure_comes_by_callback(xhuoapi: Caller, directive: str, code: str) -> None:
    with receiver() as hook:
        answer = xhuoapi.generate(prompt=f"[mock:{directive}]", callback_url=hook.url)
        assert answer.json() == {"task_id": IsUUID(4)}
        xhuoapi.scene.advance(1)
    assert hook.bodies == [
        {
            "success": False,
            "task_id": answer.json()["task_id"],
            "trace_id": IsUUID(4),
            "error": {"code": code, "message": IsStr(min_length=1)},
        }
    ]
    assert xhuoapi.captured() == 0


@pytest.mark.claim("XH-SIZE-9", "XH-SIZE-5", "XH-PRICE-4")
@pytest.mark.parametrize(
    ("model", "size"), [("gpt-image-2", "800x600"), ("dall-e-3", "512x512"), ("dall-e-2", "2048x2048")]
)
def test_a_limit_failure_comes_by_callback_unbilled(xhuoapi: Caller, model: str, size: str) -> None:
    with receiver() as hook:
        answer = xhuoapi.generate(model=model, size=size, callback_url=hook.url)
        assert (answer.status_code, answer.json()) == (200, {"task_id": IsUUID(4)})
        xhuoapi.scene.advance(1)
    error = {"code": "bad_request", "message": IsStr(regex=".*size.*")}
    assert hook.bodies == [
        {"success": False, "task_id": answer.json()["task_id"], "trace_id": IsUUID(4), "error": error}
    ]
    assert xhuoapi.captured() == 0


@pytest.mark.claim("XH-CB-3")
def test_a_callback_is_retried_after_1_2_and_4_seconds(xhuoapi: Caller) -> None:
    with receiver(500, 302, 404, 503) as hook:
        xhuoapi.generate(callback_url=hook.url)
        xhuoapi.scene.advance(30)
    delivery = xhuoapi.scene.deliveries()[-1]
    times = [round(attempt.time - delivery.created, 3) for attempt in delivery.attempts]
    assert (times, len(hook.bodies)) == ([0, 1, 3, 7], 4)
    assert len({str(body) for body in hook.bodies}) == 1


@pytest.mark.claim("XH-ASYNC-1")
@pytest.mark.parametrize("model", MODELS)
def test_async_answers_a_task_id_and_sends_no_callback(xhuoapi: Caller, model: str) -> None:
    before = len(xhuoapi.scene.deliveries())
    answer = xhuoapi.generate(model=model, **ASYNC)
    assert (answer.status_code, answer.json()) == (200, {"task_id": IsUUID(4)})
    xhuoapi.scene.advance(10)
    assert len(xhuoapi.scene.deliveries()) == before


@pytest.mark.claim("XH-ASYNC-1")
@pytest.mark.parametrize("value", [False, None])
def test_an_explicit_false_waits(xhuoapi: Caller, value: bool | None) -> None:
    fields: dict[str, Any] = {"async": value}
    assert xhuoapi.generate(**fields).json()["success"] is True
