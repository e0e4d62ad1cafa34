"""What a handler is given: bodies and forms as the client sent them, and answers put on record."""

import httpx
import pytest

from http_server.test_multipart import SMALL
from mockserver.http.multipart import Form, Upload
from support import web
from support.calls import Caller
from support.scene import Scene


def test_a_form_by_its_fields() -> None:
    form = Form((("a", "1"), ("b", "2"), ("a", "3")), (Upload("image", b"x"),))
    assert form.fields == {"a": "3", "b": "2"}
    assert form.all_of("a", "c") == ["1", "3"]


def test_null_counts_as_absent(scene: Scene) -> None:
    answer = Caller(scene, "icodeeasy", "sk_k").generate(n=None, size=None, quality=None)
    assert answer.status_code == 200


def test_a_body_in_many_chunks(scene: Scene) -> None:
    body = iter([b'{"model":"gpt-image-2-beta",', b'"prompt":', b'"x"}'])
    headers = {"Authorization": "Bearer k", "Content-Type": "application/json"}
    answer = scene.http.post("/evolink/v1/images/generations", content=body, headers=headers)
    assert answer.status_code == 200


def test_charset_and_case_of_the_content_type(scene: Scene) -> None:
    for content_type in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8;x=y"):
        answer = Caller(scene, "evolink", "k").generate(headers={"Content-Type": content_type})
        assert answer.status_code == 200, content_type


def test_an_expecting_client_is_told_to_go_on(scene: Scene) -> None:
    answer = Caller(scene, "evolink", "k").generate(headers={"Expect": "100-continue"})
    assert answer.status_code == 200


def test_uploads_are_on_record_by_type_and_size(scene: Scene) -> None:
    caller = Caller(scene, "xhuoapi", "k")
    answer = caller.form([("image", ("a.png", SMALL, "image/png")), ("image[]", ("b.png", SMALL, "text/plain"))])
    assert answer.status_code == 200, answer.text
    seen = caller.requests()[0]
    picture = {"source": "upload", "type": "png", "width": 8, "height": 8, "bytes": len(SMALL)}
    assert seen["pictures"] == [picture, picture]
    assert seen["body"] == {"model": "gpt-image-2", "prompt": "a small fox"}
    assert seen["body_size"] == int(answer.request.headers["Content-Length"])


def test_a_client_that_goes_away_changes_nothing(scene: Scene) -> None:
    caller = Caller(scene, "xhuoapi", "k")
    with web.Client(base_url=scene.root, timeout=0.05) as impatient, pytest.raises(httpx.ReadTimeout):
        Caller(Scene(scene.server, impatient), "xhuoapi", "k").generate(prompt="[mock:delay=50]")
    scene.advance(60)
    assert caller.tasks()[0]["status"] == "completed"
    assert caller.captured() > 0
