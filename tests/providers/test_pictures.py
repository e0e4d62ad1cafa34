"""Pictures over HTTP: real PNGs with their facts, HEAD, conditional GET, and no key (issue 2, "Pictures")."""

from email.utils import formatdate
from io import BytesIO
from typing import Any

import pytest
from dirty_equals import IsStr
from PIL import Image

from support.calls import Caller


def link(caller: Caller, **fields: Any) -> str:
    """The URL of the bytes of a new picture."""
    answer = caller.generate(**fields)
    if caller.provider == "evolink":
        url: str = caller.get(f"/v1/tasks/{answer.json()['id']}").json()["results"][0]
        return url
    url = answer.json()["data"][0]["url"]
    return caller.scene.http.get(url).headers["location"] if caller.provider == "icodeeasy" else url


SIZES = {"xhuoapi": "1024x1024", "icodeeasy": "1:1 1k", "evolink": "1:1"}
ASKED = {"xhuoapi": {"size": "1024x1024"}, "icodeeasy": {"size": "1:1"}, "evolink": {"size": "1:1"}}


@pytest.mark.claim("XH-RESP-1", "IC-FILE-3", "EV-FILE-1")
def test_a_picture_has_its_facts_as_text_chunks(caller: Caller) -> None:
    answer = caller.scene.http.get(link(caller, prompt="여우 🦊 und Füchse", **ASKED[caller.provider]))
    image = Image.open(BytesIO(answer.content))
    image.load()
    assert image.format == "PNG"
    assert image.info == {
        "provider": caller.provider,
        "model": IsStr(regex="gpt-image-2(-beta)?"),
        "size": SIZES[caller.provider],
        "task_id": caller.tasks()[0]["id"],
        "prompt": "여우 🦊 und Füchse",
        "index": "0",
    }


@pytest.mark.parametrize(
    "prompt", ["x", "한국어 프롬프트", "日本語の絵", "中文提示词", "🦊" * 500, "a\u202eb\x00\x7f\ufffe", "‏עברית"]
)
def test_any_prompt_is_drawn_or_degrades_cleanly(caller: Caller, prompt: str) -> None:
    answer = caller.scene.http.get(link(caller, prompt=prompt))
    assert answer.status_code == 200
    Image.open(BytesIO(answer.content)).load()


def test_pictures_differ_from_task_to_task_and_stay_the_same(caller: Caller) -> None:
    http, one, two = caller.scene.http, link(caller), link(caller)
    assert http.get(one).content == http.get(one).content
    assert _ground(http.get(one).content) != _ground(http.get(two).content)


def _ground(data: bytes) -> Any:
    return Image.open(BytesIO(data)).convert("RGB").getpixel((0, 0))


@pytest.mark.claim("XH-RESP-1", "IC-FILE-2", "EV-FILE-1")
@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic a"])
def test_a_link_needs_no_key(caller: Caller, header: str) -> None:
    answer = caller.scene.http.get(link(caller), headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


@pytest.mark.claim("CLIENT-HEADERS-1")
def test_head_answers_the_headers_of_get(caller: Caller) -> None:
    http, url = caller.scene.http, link(caller)
    get, head = http.get(url), http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "etag", "last-modified"):
        assert head.headers[name] == get.headers[name]
    assert int(get.headers["content-length"]) == len(get.content)
    assert get.headers["x-request-id"]


def test_a_picture_that_is_known_is_not_sent_again(caller: Caller) -> None:
    http, url = caller.scene.http, link(caller)
    etag = http.get(url).headers["etag"]
    for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = http.get(url, headers={"If-None-Match": value})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert http.head(url, headers={"If-None-Match": etag}).status_code == 304


def test_another_etag_gets_the_picture(caller: Caller) -> None:
    http, url = caller.scene.http, link(caller)
    etag = http.get(url).headers["etag"]
    assert etag.startswith('"')
    assert etag.endswith('"')
    for value in ('"other"', etag.strip('"'), ""):
        assert http.get(url, headers={"If-None-Match": value}).status_code == 200
    assert http.get(link(caller)).headers["etag"] != etag


def test_a_picture_that_has_not_changed_since_is_not_sent_again(caller: Caller) -> None:
    http, url, now = caller.scene.http, link(caller), int(caller.scene.now())
    assert http.get(url).headers["last-modified"] == formatdate(now, usegmt=True)
    for seconds, status in ((now, 304), (now + 9, 304), (now - 1, 200)):
        since = {"If-Modified-Since": formatdate(seconds, usegmt=True)}
        assert http.get(url, headers=since).status_code == status
    both = {"If-Modified-Since": formatdate(now, usegmt=True), "If-None-Match": '"other"'}
    assert http.get(url, headers=both).status_code == 200
    assert http.get(url, headers={"If-Modified-Since": "yesterday"}).status_code == 200


PARTS = [
    ("bytes=0-0", slice(0, 1)),
    ("bytes=0-99", slice(0, 100)),
    ("Bytes = 5-9", slice(5, 10)),
    ("bytes=100-", slice(100, None)),
    ("bytes=-7", slice(-7, None)),
    ("bytes=-99999999", slice(None)),
    ("bytes=0-" + "9" * 6000, slice(None)),
    ("bytes=" + "0" * 6000 + "3-4", slice(3, 5)),
]


@pytest.mark.claim("ALL-RANGE-1")
@pytest.mark.parametrize(("header", "part"), PARTS, ids=lambda value: str(value)[:20])
def test_a_range_gets_its_part(caller: Caller, header: str, part: slice) -> None:
    http, url = caller.scene.http, link(caller)
    whole = http.get(url)
    answer = http.get(url, headers={"Range": header})
    start, stop, _ = part.indices(len(whole.content))
    assert (answer.status_code, answer.content) == (206, whole.content[part])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole.content)}"
    for name in ("content-type", "etag", "last-modified", "accept-ranges"):
        assert answer.headers[name] == whole.headers[name]
    assert whole.headers["accept-ranges"] == "bytes"


@pytest.mark.claim("ALL-RANGE-1")
@pytest.mark.parametrize(
    "header", ["bytes=0-1,5-6", "bytes=9-5", "bytes=", "bytes=-", "lines=0-1", "bytes=a-b", "0-1", "bytes=１-２"]
)
def test_several_or_malformed_ranges_get_the_whole_picture(caller: Caller, header: str) -> None:
    http, url = caller.scene.http, link(caller)
    answer = http.get(url, headers={b"Range": header.encode()})
    assert (answer.status_code, answer.content) == (200, http.get(url).content)
    assert "content-range" not in answer.headers


@pytest.mark.claim("ALL-RANGE-1")
@pytest.mark.parametrize("header", ["bytes={size}-", "bytes={size}-{size}", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_a_range_behind_the_end_is_416(caller: Caller, header: str) -> None:
    http, url = caller.scene.http, link(caller)
    size = len(http.get(url).content)
    answer = http.get(url, headers={"Range": header.replace("{size}", str(size))})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")
    assert "error" in answer.json()
    assert http.get(url, headers={"Range": f"bytes={size - 1}-"}).status_code == 206


@pytest.mark.claim("ALL-RANGE-1")
def test_a_range_counts_while_if_range_is_true(caller: Caller) -> None:
    http, url = caller.scene.http, link(caller)
    whole = http.get(url).headers
    for condition, status in (
        (whole["etag"], 206),
        (whole["last-modified"], 206),
        (f"W/{whole['etag']}", 200),
        ('"other"', 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("", 200),
    ):
        assert http.get(url, headers={"Range": "bytes=0-9", "If-Range": condition}).status_code == status
    assert http.get(url, headers={"Range": "bytes=0-9", "If-None-Match": whole["etag"]}).status_code == 304
    head = http.head(url, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.headers["content-length"]) == (200, whole["content-length"])


def test_a_download_can_be_continued(icodeeasy: Caller) -> None:
    http, url = icodeeasy.scene.http, link(icodeeasy) + "?download=1"
    parts = [http.get(url, headers={"Range": f"bytes={part}"}) for part in ("0-999", "1000-")]
    assert b"".join(part.content for part in parts) == http.get(url).content
    assert parts[1].headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_picture_is_only_read(caller: Caller, method: str) -> None:
    answer = caller.scene.http.request(method, link(caller))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.claim("IC-FILE-2")
def test_head_on_a_file_link_redirects_as_get_does(icodeeasy: Caller) -> None:
    url = icodeeasy.generate().json()["data"][0]["url"]
    answer = icodeeasy.scene.http.head(url)
    assert answer.status_code == 302
    assert answer.headers["location"] == icodeeasy.scene.http.get(url).headers["location"]
