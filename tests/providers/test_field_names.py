"""A known field in a wrong form is refused by name; an unknown field that looks like one is noted (ALL-FORM-1)."""

from typing import Any

import pytest

from mockserver.providers.field_names import LONGEST_SHOWN
from support.calls import EDITS, GENERATIONS, Caller, fixture
from support.errors import assert_refused

from .test_parsing import INVALID

PNG = fixture("reference.png")
FILES = {"xhuoapi": ("image", "image[]", "mask"), "icodeeasy": ("image", "image[]")}
TEXTS = {
    "xhuoapi": ("prompt", "size", "n", "response_format", "callback_url", "async", "trace_id", "stream", "quality"),
    "icodeeasy": (
        "prompt",
        "size",
        "n",
        "quality",
        "resolution",
        "image_urls",
        "image_urls[]",
        "image_input",
        "stream",
    ),
}


@pytest.fixture(params=["xhuoapi", "icodeeasy"])
def editor(request: pytest.FixtureRequest) -> Caller:
    """Each provider that takes forms."""
    found: Caller = request.getfixturevalue(request.param)
    return found


def note(caller: Caller) -> str | None:
    """The note on this key's last call."""
    found: str | None = caller.requests()[0]["note"]
    return found


@pytest.mark.claim("ALL-FORM-1", "IC-BODY-1", "XH-EDIT-1")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photo.png", '"photo.png"'),
        ("[object Object]", '"[object Object]"'),
        ("https://example.com/a.png", '"https://example.com/a.png"'),
        ("data:image/png;base64,AAAA", '"data:image/png;base64,AAAA"'),
        ("", "an empty text"),
        ("x" * 5000, '"' + "x" * LONGEST_SHOWN + '…"'),
        ("a\nb\u202e\x00c", '"a?b??c"'),
        ("사진.png", '"사진.png"'),
    ],
)
@pytest.mark.parametrize("with_file", [False, True])
def test_a_file_field_that_comes_as_text_is_refused(editor: Caller, text: str, said: str, with_file: bool) -> None:
    for name in FILES[editor.provider]:
        parts: list[tuple[str, Any]] = [(name, (None, text.encode()))]
        answer = editor.form([*parts, *([("image", ("a.png", PNG))] if with_file else [])], model="gpt-image-2")
        assert_refused(editor.provider, answer, 400, INVALID[editor.provider])
        told = answer.json()["error"]["message"]
        assert f"{name} must be a file, but " in told
        assert said in told
    assert editor.untouched()


@pytest.mark.claim("ALL-FORM-1", "IC-BODY-1")
def test_a_text_field_that_comes_as_a_file_is_refused(editor: Caller) -> None:
    for name in TEXTS[editor.provider]:
        sent = [("image", ("a.png", PNG)), (name, ("a.txt", b"fox"))]
        answer = editor.form(sent, without=[name], model="dall-e-2" if editor.provider == "xhuoapi" else "gpt-image-2")
        assert_refused(editor.provider, answer, 400, INVALID[editor.provider])
        assert f"{name} must be text, but a file of 3 bytes was sent" in answer.json()["error"]["message"]
    assert editor.untouched()


LOOK_ALIKES = [
    *("image[0]", "images", "Image", "imageUrls[]", "image_url", "input_image", "Prompt", "callbackUrl", "file"),
]


@pytest.mark.claim("ALL-FORM-1")
@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_field_that_looks_like_a_known_one_is_noted(caller: Caller, name: str) -> None:
    assert (
        caller.post(GENERATIONS[caller.provider], caller.body(**{name: "https://example.com/a.png"})).status_code == 200
    )
    assert note(caller) == f"ignored: {name}"
    if caller.provider in EDITS:
        answer = caller.form([("image", ("a.png", PNG)), (name, ("b.png", PNG))])
        assert answer.status_code == 200
        assert note(caller) == f"ignored: {name}"


@pytest.mark.claim("ALL-FORM-1")
def test_json_image_is_noted_where_it_is_ignored(caller: Caller) -> None:
    assert caller.generate(image="https://example.com/a.png").status_code == 200
    assert note(caller) == "ignored: image"
    if caller.provider == "xhuoapi":
        assert caller.edit(image="https://example.com/a.png").status_code == 200
        assert note(caller) is None


@pytest.mark.claim("ALL-FORM-1")
def test_other_unknown_fields_are_not_noted(caller: Caller) -> None:
    assert caller.generate(user="u-1", extra={"a": 1}, style="vivid", response_format="url").status_code == 200
    assert note(caller) is None


def test_a_note_is_short_and_printable(caller: Caller) -> None:
    names = [f"image[{number}]" for number in range(50)]
    caller.post(GENERATIONS[caller.provider], caller.body(**dict.fromkeys(names, "x")))
    assert note(caller) == f"ignored: {', '.join(names[:5])} and 45 more"
    caller.post(GENERATIONS[caller.provider], caller.body(**{"im\nage": "x", "image[" + "9" * 100 + "]": "x"}))
    assert note(caller) == f"ignored: im?age, image[{'9' * (LONGEST_SHOWN - 6)}…"


def test_a_refused_call_is_noted_too(caller: Caller) -> None:
    answer = caller.post(GENERATIONS[caller.provider], caller.body(prompt=" ", images=["x"]))
    assert answer.status_code == 400
    assert note(caller) == "ignored: images"
