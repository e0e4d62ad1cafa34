"""Bad forms and uploads: each provider's own envelope, and nothing of what aiohttp would say by itself."""

import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from test_bad_wire import EDIT_PATHS, KEY, assert_refused, parsed, request, server, silent, talk

from support.calls import MODELS
from support.scene import Scene

__all__ = ["server", "silent"]  # fixtures

Part = tuple[str, bytes]


def png(width: int = 8, height: int = 8) -> bytes:
    data = BytesIO()
    Image.new("L", (width, height)).save(data, "PNG")
    return data.getvalue()


SMALL = png()
UPLOAD: Part = ('name="image"; filename="a.png"', SMALL)
MULTIPART = "Content-Type: multipart/form-data"


@pytest.fixture(params=EDIT_PATHS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def upload(data: bytes) -> Part:
    return 'name="image"; filename="a.png"', data


def fields(provider: str) -> list[Part]:
    return [('name="model"', MODELS[provider].encode()), ('name="prompt"', b"x")]


def form(parts: list[Part], boundary: bytes = b"BB") -> bytes:
    """The bytes of a form; a part is what follows `form-data; ` in its header, and its content."""
    head = b"--" + boundary + b"\r\nContent-Disposition: form-data; "
    return (
        b"".join(head + name.encode() + b"\r\n\r\n" + data + b"\r\n" for name, data in parts)
        + b"--"
        + boundary
        + b"--\r\n"
    )


def send(server: Scene, provider: str, body: bytes, content_type: str = f"{MULTIPART}; boundary=BB") -> httpx.Response:
    return parsed(talk(server.root, request(EDIT_PATHS[provider], body, content_type)))


def test_a_good_form_passes(server: Scene, provider: str) -> None:
    assert send(server, provider, form([*fields(provider), UPLOAD])).status_code == 200


@pytest.mark.parametrize("boundary", ["", "; boundary=CC", "; boundary=", f"; boundary={'B' * 5000}", "; boundary"])
def test_boundaries(server: Scene, provider: str, boundary: str) -> None:
    assert_refused(send(server, provider, form([*fields(provider), UPLOAD]), MULTIPART + boundary), provider)


def test_a_missing_part(server: Scene, provider: str) -> None:
    model, prompt = fields(provider)
    assert_refused(send(server, provider, form([prompt, UPLOAD])), provider) if provider == "icodeeasy" else None
    assert_refused(send(server, provider, form([model, UPLOAD])), provider)


@pytest.mark.parametrize("count", [101, 1_000, 20_000])
def test_too_many_parts(server: Scene, provider: str, count: int) -> None:
    assert_refused(send(server, provider, form([*fields(provider), UPLOAD, *[('name="x"', b"y")] * count])), provider)


CUT = {"in-end": -6, "in-part": -60, "in-header": 40, "at-once": 3, "empty": 0}


@pytest.mark.parametrize("end", CUT.values(), ids=CUT)
def test_forms_cut_short(server: Scene, provider: str, end: int) -> None:
    assert_refused(send(server, provider, form([*fields(provider), UPLOAD])[:end]), provider)


HEADS = {
    "none": b"",
    "no-name": b"Content-Disposition: form-data\r\n",
    "no-name-file": b"Content-Disposition: form-data; filename=a\r\n",
    "bad-disposition": b"Content-Disposition: form-data; na\r\n",
    "no-colon": b"foo\r\n",
    "huge-name": b'Content-Disposition: form-data; name="' + b"a" * 200_000 + b'"\r\n',
    "many-headers": b"".join(b"X-%d: 1\r\n" % n for n in range(200)),
    "nested": b"Content-Disposition: form-data; name=x\r\nContent-Type: multipart/mixed; boundary=CC\r\n",
    "nested-bare": b"Content-Disposition: form-data; name=x\r\nContent-Type: multipart/mixed\r\n",
    "charset": b"Content-Disposition: form-data; name=x\r\nContent-Type: text/plain; charset=nope\r\n",
    "charset-hex": b"Content-Disposition: form-data; name=x\r\nContent-Type: text/plain; charset=hex\r\n",
    "transfer-coding": b"Content-Disposition: form-data; name=x\r\nContent-Transfer-Encoding: foo\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_part_headers(server: Scene, provider: str, head: bytes) -> None:
    body = b"--BB\r\n" + head + b"\r\nx\r\n" + form([*fields(provider), UPLOAD])
    assert_refused(send(server, provider, body), provider)


TEXTS = {
    "bad-utf8": ('name="prompt"', b"\xff\xfe"),
    "surrogate": ('name="prompt"', b"\xed\xa0\x80"),
    "blank": ('name="prompt"', b" "),
    "_charset_": ('name="_charset_"', b"n" * 100),
    "_charset_-rot13": ('name="_charset_"', b"rot13"),
}


@pytest.mark.parametrize("part", TEXTS.values(), ids=TEXTS)
def test_texts(server: Scene, provider: str, part: Part) -> None:
    assert_refused(send(server, provider, form([part, UPLOAD, *fields(provider), part])), provider)


@pytest.mark.parametrize("number", [b"1.5", b"x", b"9" * 5000, b"9" * 10**6, b"", b"-1"])
def test_numbers_as_text(server: Scene, number: bytes) -> None:
    body = form([*fields("icodeeasy"), UPLOAD, ('name="n"', number)])
    assert_refused(send(server, "icodeeasy", body), "icodeeasy")


HUGE_PICTURE = SMALL[:16] + struct.pack(">II", 60_000, 60_000) + SMALL[24:]
PICTURES = {
    "empty": b"",
    "text": b"not an image",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "pdf": b"%PDF-1.7\n",
    "head-alone": SMALL[:20],
    "truncated": SMALL[:-14],
    "bomb": png(9_000, 9_000),
    "bomb-by-name": HUGE_PICTURE,
}


@pytest.mark.parametrize("data", PICTURES.values(), ids=PICTURES)
def test_uploads_that_are_no_picture(server: Scene, provider: str, data: bytes) -> None:
    assert_refused(send(server, provider, form([*fields(provider), upload(data)])), provider)


def test_seventeen_pictures(server: Scene, provider: str) -> None:
    assert_refused(send(server, provider, form([*fields(provider), *[UPLOAD] * 17])), provider)


def test_a_form_broken_off(server: Scene, provider: str) -> None:
    body = form([*fields(provider), UPLOAD])[:-20]
    sent = request(EDIT_PATHS[provider], body, f"{MULTIPART}; boundary=BB", length=5_000)
    assert_refused(parsed(talk(server.root, sent, half_close=True)), provider)


def test_no_bad_form_leaves_a_task(server: Scene, provider: str) -> None:
    before = server.money(provider, KEY)
    send(server, provider, form([*fields(provider), upload(b"")]))
    assert server.money(provider, KEY) == before


SAID = {
    "nested": (
        b'name="x"\r\nContent-Type: multipart/form-data; boundary=CC',
        b"x",
        "part 3 has a Content-Type of multipart/",
    ),
    "bytes-without-a-file-name": (b'name="image"', SMALL, 'part 3 ("image") has no file name and is not utf-8 text'),
    "no-name": (b'filename="a.png"', SMALL, "part 3 has no name"),
    "unknown-charset": (
        b'name="x"\r\nContent-Type: text/plain; charset=nope',
        b"x",
        'part 3 ("x") is in an unknown charset, nope',
    ),
    "lone-surrogate": (b'name="x"\r\nContent-Type: text/plain; charset=utf-7', b"+2AA-", "lone surrogate"),
    "file-name": (b"name=\"image\"; filename*=UTF-8''%ff", SMALL, "part 3"),
    "file-name-unquoted": (b'name="image"; filename*=nothing', SMALL, "part 3"),
}


@pytest.mark.parametrize(("head", "data", "said"), SAID.values(), ids=SAID)
def test_errors_say_which_part_and_why(server: Scene, provider: str, head: bytes, data: bytes, said: str) -> None:
    answer = send(server, provider, form([*fields(provider), (head.decode(), data)]))
    assert_refused(answer, provider)
    assert said in answer.json()["error"]["message"]


def test_a_charset_part_says_what_the_other_texts_are_in(server: Scene, provider: str) -> None:
    """RFC 7578, 4.6."""
    model, _ = fields(provider)
    parts = [('name="_charset_"', b"iso-8859-1"), model, ('name="prompt"', b"caf\xe9"), UPLOAD]
    assert send(server, provider, form(parts)).status_code == 200
    assert server.mock("tasks", provider=provider, limit=1)["tasks"][0]["prompt"] == "caf\u00e9"


def test_a_file_name_that_cannot_be_read_leaves_stderr_alone(tmp_path: Path) -> None:
    """aiohttp warns of one on stderr, once for each request."""
    code = (
        "import warnings; warnings.simplefilter('default')\n"
        "import mockserver.http.multipart, aiohttp.multipart\n"
        "aiohttp.multipart.parse_content_disposition('form-data; name=a; filename*=b')\n"
        "aiohttp.multipart.parse_content_disposition('form-data; na')\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ran.stderr == ""
