"""icodeeasy: the endpoints, references in both body formats, tasks and files (IC-EP, -REF, -TASK, -FILE …)."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from dirty_equals import IsUUID

from support.calls import ASYNC, Caller, fixture, pixels, read_picture
from support.errors import assert_icodeeasy_error

from .test_models import PATHS

URL = "https://example.com/a.png"
PNG, JPEG, WEBP = fixture("reference.png"), fixture("reference.jpg"), fixture("reference.webp")
DATA = "data:image/png;base64," + b64encode(PNG).decode()


def refused(caller: Caller, answer: Any, message: str = "") -> None:
    assert_icodeeasy_error(answer, 400, "invalid_request_error", message)
    assert caller.untouched()


def submit(caller: Caller, **fields: Any) -> str:
    answer = caller.generate(query="?async=1", **fields)
    assert answer.status_code == 202, answer.text
    task_id: str = answer.json()["task_id"]
    return task_id


@pytest.mark.claim("IC-EP-1", "IC-SYNC-1", "IC-FILE-1")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("references", [{}, {"image_urls": [URL, DATA]}])
def test_every_endpoint_answers_alike(icodeeasy: Caller, path: str, references: dict[str, Any]) -> None:
    answer = icodeeasy.post(path, icodeeasy.body(**references))
    body, day = answer.json(), datetime.fromtimestamp(icodeeasy.scene.now(), UTC).strftime("%Y%m%d")
    base = f"{icodeeasy.scene.root}/icodeeasy/v1/images/files/gpt-image-2/{day}"
    assert answer.status_code == 200
    assert body == {
        "id": IsUUID(4),
        "created": int(icodeeasy.scene.now()),
        "data": [{"url": f"{base}/{body['id']}-1.png"}],
    }


@pytest.mark.claim("IC-ASYNC-1")
@pytest.mark.parametrize("value", ["1", "true", "yes"])
@pytest.mark.parametrize("path", PATHS)
def test_async_answers_a_pending_task(icodeeasy: Caller, path: str, value: str) -> None:
    answer = icodeeasy.post(f"{path}?async={value}", icodeeasy.body())
    assert (answer.status_code, answer.json()) == (202, {"status": "pending", "task_id": IsUUID(4)})


@pytest.mark.claim("IC-ASYNC-1")
@pytest.mark.parametrize(
    "query", ["?async=0", "?async=false", "?async=no", "?async=", "?async=TRUE", "?async=2", "?a=1"]
)
def test_another_value_of_async_means_waiting(icodeeasy: Caller, query: str) -> None:
    assert icodeeasy.generate(query=query).status_code == 200


@pytest.mark.claim("IC-ASYNC-1", "CLIENT-EXTRA-1")
def test_async_in_the_body_is_an_unknown_field(icodeeasy: Caller) -> None:
    assert icodeeasy.generate(**ASYNC).status_code == 200


@pytest.mark.claim("IC-ASYNC-1", "IC-BODY-1")
def test_a_form_may_be_async_too(icodeeasy: Caller) -> None:
    files = [("image[]", PNG)]
    answer = icodeeasy.send("POST", "/v1/images/edits?async=1", data=icodeeasy.body(), files=files)
    assert answer.status_code == 202


@pytest.mark.claim("IC-TASK-1", "IC-TASK-2")
@pytest.mark.parametrize("path", ["/v1/images/tasks/", "/images/tasks/"])
def test_a_task_is_pending_and_then_completed(icodeeasy: Caller, path: str) -> None:
    start, task_id = icodeeasy.scene.now(), submit(icodeeasy, prompt="[mock:delay=30]")
    pending = {"task_id": task_id, "status": "pending", "model": "gpt-image-2", "cost": 0}
    assert icodeeasy.get(path + task_id).json() == pending
    icodeeasy.scene.advance(29.999)
    assert icodeeasy.get(path + task_id).json() == pending
    icodeeasy.scene.advance(0.001)
    day = datetime.fromtimestamp(start, UTC).strftime("%Y%m%d")
    url = f"{icodeeasy.scene.root}/icodeeasy/v1/images/files/gpt-image-2/{day}/{task_id}-1.png"
    assert icodeeasy.get(path + task_id).json() == {
        "task_id": task_id,
        "status": "completed",
        "model": "gpt-image-2",
        "cost": 0.2,
        "result_url": url,
    }
    assert read_picture(icodeeasy.scene.http, url) == (1024, 1024)


@pytest.mark.claim("IC-TASK-1", "IC-N-1")
def test_a_task_of_several_pictures_has_all_their_urls(icodeeasy: Caller) -> None:
    task = icodeeasy.get(f"/v1/images/tasks/{submit(icodeeasy, n=3, quality='high')}").json()
    base = task["result_url"].removesuffix("-1.png")
    assert task == {
        "task_id": IsUUID(4),
        "status": "completed",
        "model": "gpt-image-2",
        "cost": 1.2,
        "result_url": f"{base}-1.png",
        "data": [{"url": f"{base}-{number}.png"} for number in (1, 2, 3)],
    }


@pytest.mark.claim("IC-TASK-3")
def test_a_waiting_calls_id_is_a_task_id(icodeeasy: Caller) -> None:
    body = icodeeasy.generate().json()
    task = icodeeasy.get(f"/v1/images/tasks/{body['id']}").json()
    assert (task["status"], task["result_url"]) == ("completed", body["data"][0]["url"])


@pytest.mark.claim("IC-TASK-2", "IC-TASK-1")
@pytest.mark.parametrize("path", ["/v1/images/tasks/", "/images/tasks/"])
def test_an_unknown_task_and_another_keys_are_404(icodeeasy: Caller, path: str) -> None:
    task_id, other = submit(icodeeasy), icodeeasy.keyed(icodeeasy.key + "-other")
    assert_icodeeasy_error(other.get(path + task_id), 404, "invalid_request_error")
    for name in ("x", "00000000-0000-4000-8000-000000000000", task_id[:-1], task_id.upper(), "%2e%2e"):
        assert_icodeeasy_error(icodeeasy.get(path + name), 404, "invalid_request_error")


@pytest.mark.claim("IC-TASK-1")
def test_a_task_query_needs_a_key(icodeeasy: Caller) -> None:
    answer = icodeeasy.scene.http.get(f"/icodeeasy/v1/images/tasks/{submit(icodeeasy)}")
    assert_icodeeasy_error(answer, 401, "authentication_error")


@pytest.mark.claim("IC-REF-1")
@pytest.mark.parametrize("field", ["image_urls", "image_input"])
@pytest.mark.parametrize(
    "images",
    [[], [URL], [DATA], [URL, DATA], ["HTTPS://EXAMPLE.COM/a"], [URL + "?a=1#b"], [URL] * 16, [URL, DATA] * 8, None],
    ids=lambda images: str(images)[:30],
)
def test_references_are_https_urls_and_data_mixed(icodeeasy: Caller, field: str, images: Any) -> None:
    for answer in (icodeeasy.generate(**{field: images}), icodeeasy.edit(**{field: images})):
        assert answer.status_code == 200, answer.text
        assert len(icodeeasy.requests()[0]["pictures"]) == len(images or [])


@pytest.mark.claim("IC-REF-1", "IC-REF-2", "ALL-TYPE-1")
@pytest.mark.parametrize("field", ["image_urls", "image_input"])
@pytest.mark.parametrize(
    "images",
    [
        [URL] * 17,
        [URL, DATA] * 8 + [URL],
        ["http://example.com/a.png"],
        [URL, "http://example.com/a.png"],
        ["ftp://example.com/a.png"],
        ["example.com/a.png"],
        ["https://"],
        ["https://exa mple.com/a.png"],
        [""],
        ["data:image/png;base64,%%%"],
        ["data:image/png;base64,AAA"],
        ["data:image/png;base64,"],
        ["data:image/png,AAAA"],
        ["data:text/plain;base64,AAAA"],
        ["data:image/png;base64," + b64encode(b"no picture").decode()],
        ["data:image/png;base64," + b64encode(fixture("truncated.png")).decode()],
        URL,
        {"0": URL},
        5,
        [5],
        [None],
        [[URL]],
        True,
    ],
    ids=lambda images: str(images)[:40],
)
def test_other_references_are_refused(icodeeasy: Caller, field: str, images: Any) -> None:
    for query in ("", "?async=1"):
        refused(icodeeasy, icodeeasy.generate(query=query, **{field: images}), "image")


@pytest.mark.claim("IC-REF-1")
def test_the_two_names_count_together(icodeeasy: Caller) -> None:
    refused(icodeeasy, icodeeasy.generate(image_urls=[URL] * 9, image_input=[URL] * 8), "16")
    assert icodeeasy.generate(image_urls=[URL] * 8, image_input=[URL] * 8).status_code == 200


@pytest.mark.claim("IC-BODY-1", "CLIENT-FORM-1")
@pytest.mark.parametrize("field", ["image", "image[]"])
@pytest.mark.parametrize("count", [1, 3, 16])
@pytest.mark.parametrize("path", PATHS)
def test_a_form_takes_files_under_either_name(icodeeasy: Caller, path: str, field: str, count: int) -> None:
    files = [(field, (f"{n}.png", PNG, "image/png")) for n in range(count)]
    answer = icodeeasy.send("POST", path, data=icodeeasy.body(n="2", size="16:9"), files=files)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]) == 2
    assert len(icodeeasy.requests()[0]["pictures"]) == count


@pytest.mark.claim("IC-REF-1", "IC-BODY-1")
@pytest.mark.parametrize("fields", [["image"] * 17, ["image[]"] * 17, ["image"] * 8 + ["image[]"] * 9])
def test_seventeen_files_are_too_many(icodeeasy: Caller, fields: list[str]) -> None:
    refused(icodeeasy, icodeeasy.form([(field, PNG) for field in fields]), "16")


@pytest.mark.claim("IC-REF-1", "IC-BODY-1")
@pytest.mark.parametrize("name", ["image_urls", "image_urls[]", "image_input"])
def test_files_and_urls_of_a_form_count_together(icodeeasy: Caller, name: str) -> None:
    refused(icodeeasy, icodeeasy.form([("image", PNG)] * 16, **{name: URL}), "16")
    refused(icodeeasy, icodeeasy.form([("image", PNG)], **{name: "http://example.com/a.png"}), "https")
    assert icodeeasy.form([("image", PNG)] * 15, **{name: URL}).status_code == 200


@pytest.mark.claim("IC-REF-2")
@pytest.mark.parametrize("data", [b"", b"no picture", fixture("truncated.png"), b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_a_file_that_is_no_picture_is_refused(icodeeasy: Caller, data: bytes) -> None:
    refused(icodeeasy, icodeeasy.form([("image[]", ("a.png", data, "image/png"))]), "image")


@pytest.mark.claim("CLIENT-FORM-1", "IC-REF-2")
@pytest.mark.parametrize(("data", "kind"), [(PNG, "png"), (JPEG, "jpeg"), (WEBP, "webp")])
@pytest.mark.parametrize("name", ["upload", "blob", "photo.bmp"])
def test_raw_bytes_are_told_by_their_content(icodeeasy: Caller, name: str, data: bytes, kind: str) -> None:
    answer = icodeeasy.form([("image", (name, data, "application/octet-stream"))])
    assert answer.status_code == 200, answer.text
    (picture,) = icodeeasy.requests()[0]["pictures"]
    assert picture == {"source": "upload", "type": kind, "width": 24, "height": 16, "bytes": len(data)}


@pytest.mark.claim("IC-REF-2")
def test_a_remote_reference_is_never_fetched(icodeeasy: Caller) -> None:
    assert icodeeasy.generate(image_urls=["https://127.0.0.1:9/nobody-listens.png"]).status_code == 200
    assert icodeeasy.requests()[0]["pictures"] == [{"source": "url"}]


@pytest.mark.claim("IC-BODY-1")
def test_a_form_without_files_is_text_to_image(icodeeasy: Caller) -> None:
    answer = icodeeasy.send(
        "POST", "/v1/images/generations", files=[(k, (None, v)) for k, v in icodeeasy.body().items()]
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.claim("IC-FILE-2", "IC-FILE-3")
def test_a_link_redirects_to_the_picture(icodeeasy: Caller) -> None:
    http, url = icodeeasy.scene.http, icodeeasy.generate(size="16:9").json()["data"][0]["url"]
    answer = http.get(url)
    assert (answer.status_code, answer.content) == (302, b"")
    picture = http.get(answer.headers["location"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert "attachment" not in picture.headers.get("content-disposition", "inline")
    assert pixels(picture.content)[0] > pixels(picture.content)[1]


@pytest.mark.claim("IC-FILE-2")
def test_download_forces_a_download_after_a_302(icodeeasy: Caller) -> None:
    http, url = icodeeasy.scene.http, icodeeasy.generate().json()["data"][0]["url"]
    answer = http.get(url + "?download=1")
    assert answer.status_code == 302
    picture = http.get(answer.headers["location"])
    name = url.rpartition("/")[2]
    assert picture.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert picture.content == http.get(url, follow_redirects=True).content


@pytest.mark.claim("IC-FILE-2")
@pytest.mark.parametrize("query", ["?download=0", "?download=", "?other=1"])
def test_another_query_is_no_download(icodeeasy: Caller, query: str) -> None:
    url = icodeeasy.generate().json()["data"][0]["url"]
    answer = icodeeasy.scene.http.get(url + query, follow_redirects=True)
    assert answer.status_code == 200
    assert "attachment" not in answer.headers.get("content-disposition", "")


@pytest.mark.claim("IC-FILE-3")
def test_a_link_never_expires(icodeeasy: Caller) -> None:
    url = icodeeasy.generate(n=2).json()["data"][1]["url"]
    icodeeasy.scene.advance(1000 * 24 * 3600)
    assert read_picture(icodeeasy.scene.http, url) == (1024, 1024)


@pytest.mark.claim("IC-FILE-3")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(("-1.png", f"-{number}.png") for number in ("2", "0", "x", "1x", "")),
        ("/20", "/19"),
        ("gpt-image-2/", "gpt-image-1/"),
        ("-4", "-5"),
        (".png", ".jpg"),
    ],
)
def test_an_unknown_file_is_404(icodeeasy: Caller, old: str, new: str) -> None:
    url = icodeeasy.generate().json()["data"][0]["url"]
    head, tail = url.rsplit("/files/", 1)
    answer = icodeeasy.scene.http.get(
        f"{head}/files/{tail.replace(old, new, 1)}" if old in tail else url.replace(old, new)
    )
    assert_icodeeasy_error(answer, 404, "invalid_request_error")


@pytest.mark.claim("IC-FILE-3")
def test_there_is_no_file_before_the_end_or_of_a_failed_task(icodeeasy: Caller) -> None:
    day = datetime.fromtimestamp(icodeeasy.scene.now(), UTC).strftime("%Y%m%d")
    for prompt in ("[mock:delay=9]", "[mock:fail]"):
        path = f"/icodeeasy/v1/images/files/gpt-image-2/{day}/{submit(icodeeasy, prompt=prompt)}-1.png"
        assert_icodeeasy_error(icodeeasy.scene.http.get(path), 404, "invalid_request_error")


@pytest.mark.claim("IC-FILE-1")
def test_the_day_of_a_link_is_the_utc_day_of_creation(icodeeasy: Caller) -> None:
    scene = icodeeasy.scene
    scene.advance(86_400 - scene.now() % 86_400 - 10)
    before, task_id = scene.now(), submit(icodeeasy, prompt="[mock:delay=60]")
    scene.advance(60)
    day = datetime.fromtimestamp(before, UTC).strftime("%Y%m%d")
    assert f"/{day}/" in icodeeasy.get(f"/v1/images/tasks/{task_id}").json()["result_url"]
