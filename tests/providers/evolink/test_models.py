"""evolink: which requests are accepted (EV-MODEL, -PROMPT, -SIZE, -REF, -CB-1)."""

from typing import Any

import pytest

from support.calls import Caller, read_picture
from support.errors import assert_evolink_error

URL = "https://example.com/a.png"


def refused(caller: Caller, param: str, message: str = "", **fields: Any) -> None:
    """400 `invalid_request` on one parameter, with nothing made and nothing charged."""
    answer = caller.generate(**fields)
    assert_evolink_error(answer, 400, "invalid_request", param=param, message="Invalid request parameters")
    assert message in answer.json()["error"]["message"]
    assert caller.untouched()


def accepted(caller: Caller, **fields: Any) -> str:
    answer = caller.generate(**fields)
    assert answer.status_code == 200, answer.text
    task_id: str = answer.json()["id"]
    return task_id


@pytest.mark.claim("EV-MODEL-1", "ALL-TYPE-1", "EV-ERR-1")
@pytest.mark.parametrize("model", [None, "gpt-image-2", "GPT-image-2-beta", "", 5, ["gpt-image-2-beta"], {}])
def test_another_model_or_none_is_refused(evolink: Caller, model: Any) -> None:
    refused(evolink, "model", model=model)
    refused(evolink, "model", without=["model"])


@pytest.mark.claim("EV-MODEL-1")
def test_access_to_the_model_may_be_denied(evolink: Caller) -> None:
    assert_evolink_error(evolink.generate(prompt="[mock:status=403]"), 403, "model_access_denied")


@pytest.mark.claim("EV-PROMPT-1", "ALL-TYPE-1")
@pytest.mark.parametrize("prompt", [None, "", " ", "\n\t", "\u3000", 5, ["a"], {}, True])
def test_a_prompt_is_required_and_is_text(evolink: Caller, prompt: Any) -> None:
    refused(evolink, "prompt", prompt=prompt)
    refused(evolink, "prompt", without=["prompt"])


@pytest.mark.claim("EV-PROMPT-1")
@pytest.mark.parametrize("letter", ["x", "가", "日", "🦊", "é"])
def test_a_prompt_has_at_most_2000_unicode_characters(evolink: Caller, letter: str) -> None:
    refused(evolink, "prompt", prompt=letter * 2001)
    accepted(evolink, prompt=letter * 2000)


@pytest.mark.claim("EV-SIZE-1", "EV-OUT-1")
@pytest.mark.parametrize(
    ("fields", "pixels"),
    [
        ({}, (1024, 1024)),
        ({"size": None}, (1024, 1024)),
        ({"size": "auto"}, (1024, 1024)),
        ({"size": "1:1"}, (1024, 1024)),
        ({"size": "3:2"}, (1536, 1024)),
        ({"size": "2:3"}, (1024, 1536)),
    ],
)
def test_four_sizes_and_their_pixels(evolink: Caller, fields: dict[str, Any], pixels: tuple[int, int]) -> None:
    (url,) = evolink.get(f"/v1/tasks/{accepted(evolink, **fields)}").json()["results"]
    assert read_picture(evolink.scene.http, url) == pixels


@pytest.mark.claim("EV-SIZE-1", "ALL-TYPE-1")
@pytest.mark.parametrize("size", ["1024x1024", "1536x1024", "16:9", "4:3", "AUTO", "1:1 ", "", "1", 1, ["1:1"], True])
def test_another_size_is_refused(evolink: Caller, size: Any) -> None:
    refused(evolink, "size", size=size)


@pytest.mark.claim("EV-REF-1", "EV-REF-2")
@pytest.mark.parametrize(
    "url",
    [
        *(f"https://example.com/a.{extension}" for extension in ("jpeg", "jpg", "png", "webp", "PNG", "Jpg")),
        "http://example.com/a.png",
        "HTTPS://example.com/a.png",
        "https://example.com/photo",
        "https://example.com/",
        "https://example.com",
        "https://example.com/v1.2/photo",
        "https://example.com/a.png?x=.gif#b.svg",
        "https://127.0.0.1:9/nobody-listens.png",
    ],
)
def test_a_reference_is_a_url_of_an_image_and_never_fetched(evolink: Caller, url: str) -> None:
    accepted(evolink, image_urls=[url])


@pytest.mark.claim("EV-REF-1")
@pytest.mark.parametrize(
    "url", ["https://example.com/download.php?id=3", "https://example.com/get.aspx?f=a", "https://example.com/file.bin"]
)
def test_a_url_that_triggers_a_download_is_fine_too(evolink: Caller, url: str) -> None:
    accepted(evolink, image_urls=[url])


@pytest.mark.claim("EV-REF-2")
@pytest.mark.parametrize("extension", ["gif", "bmp", "svg", "tiff", "GIF", "ico", "avif", "heic"])
def test_another_image_extension_is_refused(evolink: Caller, extension: str) -> None:
    refused(evolink, "image_urls", image_urls=[URL, f"https://example.com/a.{extension}"])
    refused(evolink, "image_urls", image_urls=[f"https://example.com/a.{extension}?x=1.png"])


@pytest.mark.claim("EV-REF-1", "EV-REF-2", "ALL-TYPE-1")
@pytest.mark.parametrize(
    "urls",
    [
        URL,
        5,
        {"0": URL},
        [5],
        [None],
        [[URL]],
        True,
        [""],
        ["a.png"],
        ["//example.com/a.png"],
        ["https://"],
        ["https:///a.png"],
        ["https://exa mple.com/a.png"],
        ["ftp://example.com/a.png"],
        ["file:///etc/passwd.png"],
        ["data:image/png;base64,iVBORw0KGgo="],
        ["https://[::1/a.png"],
    ],
    ids=str,
)
def test_what_is_no_list_of_http_urls_is_refused(evolink: Caller, urls: Any) -> None:
    refused(evolink, "image_urls", image_urls=urls)


@pytest.mark.claim("EV-REF-2")
def test_sixteen_references_at_most(evolink: Caller) -> None:
    refused(evolink, "image_urls", image_urls=[URL] * 17)
    for images in ([], None, [URL] * 16):
        accepted(evolink, image_urls=images)


@pytest.mark.claim("EV-CB-1")
@pytest.mark.parametrize(
    "url",
    [
        "https://your-domain.com/webhooks/image-task-completed",
        "https://example.com",
        "https://example.com:8443/a?b=c#d",
        "HTTPS://EXAMPLE.COM/",
        "https://user:pw@example.com/",
        "https://127.0.0.1@example.com/",
        "https://8.8.8.8/",
        "https://172.15.255.255/",
        "https://172.32.0.1/",
        "https://11.0.0.1/",
        "https://[2606:4700::1111]/",
        "https://localhost.example.com/",
        "https://예시.com/",
        None,
        "",
    ],
)
def test_a_public_https_callback_url_is_accepted(evolink: Caller, url: str | None) -> None:
    accepted(evolink, callback_url=url)


@pytest.mark.claim("EV-CB-1")
@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "example.com/hook",
        "//example.com/hook",
        "https://",
        "https:///hook",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com:99999/",
        "https://127.0.0.1/",
        "https://127.0.0.1:8080/hook",
        "https://127.9.9.9/",
        "https://10.0.0.1/",
        "https://10.255.255.255/",
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.168.0.1/",
        "https://192.168.255.255/",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/",
        "https://100.64.0.1/",
        "https://255.255.255.255/",
        "https://224.0.0.1/",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://app.localhost/",
        "https://127.0.0.1./",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://user@127.0.0.1/",
        "https://example.com@127.0.0.1/",
        "https://example.com:443@10.0.0.1/",
        "https://１２７.0.0.1/",
        "https://127。0。0。1/",
        "https://example.com\\@127.0.0.1/",
        "https://[::1",
    ],
)
def test_another_callback_url_is_refused(evolink: Caller, url: str) -> None:
    refused(evolink, "callback_url", callback_url=url)


@pytest.mark.claim("EV-CB-1")
def test_a_callback_url_has_at_most_2048_characters(evolink: Caller) -> None:
    start = "https://example.com/"
    refused(evolink, "callback_url", callback_url=start + "x" * (2049 - len(start)))
    accepted(evolink, callback_url=start + "x" * (2048 - len(start)))


@pytest.mark.claim("ALL-TYPE-1", "EV-CB-1")
@pytest.mark.parametrize("url", [5, ["https://example.com/"], {}, True])
def test_a_callback_url_is_text(evolink: Caller, url: Any) -> None:
    refused(evolink, "callback_url", callback_url=url)


@pytest.mark.claim("CLIENT-EXTRA-1", "ALL-TYPE-1")
def test_unknown_fields_are_ignored(evolink: Caller) -> None:
    accepted(evolink, n="x", quality=5, resolution="4K", user=None, extra={"a": [1]})
