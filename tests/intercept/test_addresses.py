"""A client that came by a documented https host reads the documents' own addresses, which all lead to the mock."""

import re
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from support.calls import GENERATIONS, MODELS, read_picture
from support.intercepted import Intercepted, read_all

ID = "[0-9a-f]{8}-[0-9a-f-]{27}"
API = {"xhuoapi": "api.xhuoapi.ai", "icodeeasy": "jp.icodeeasy.cc", "evolink": "api.evolink.ai"}
PICTURES = {
    ("xhuoapi", "gpt-image-2"): rf"https://platform\.cdn\.xhuoapi\.ai/gpt-image/{ID}_0\.png",
    ("xhuoapi", "nano-banana"): rf"https://platform\.cdn\.xhuoapi\.ai/nanobanana/{ID}\.png",
    (
        "xhuoapi",
        "dall-e-3",
    ): rf"https://dalleprodsec\.blob\.core\.windows\.net/private/images/{ID}/generated_00\.png\?.*",
    ("icodeeasy", "gpt-image-2"): rf"https://api\.icodeeasy\.cc/v1/images/files/gpt-image-2/[0-9]{{8}}/{ID}-1\.png",
    ("evolink", "gpt-image-2-beta"): r"https://files\.evolink\.ai/files/task-unified-[0-9]+-[a-z0-9]{8}\.png",
}
KEY = {"Authorization": "Bearer sk_k"}


def picture_of(led: Intercepted, provider: str, model: str, **fields: Any) -> str:
    """The URL of a new picture, as a client of the documented host is given it."""
    root = f"https://{API[provider]}"
    body = {"model": model, "prompt": "a fox", **fields}
    answer: Any = led.http.post(f"{root}{GENERATIONS[provider]}", json=body, headers=KEY).json()
    if provider == "evolink":
        return str(led.http.get(f"{root}/v1/tasks/{answer['id']}", headers=KEY).json()["results"][0])
    return str(answer["data"][0]["url"])


@pytest.mark.claim("EV-FILE-2", "XH-RESP-1", "XH-RESP-2", "XH-RESP-5", "IC-FILE-1")
@pytest.mark.parametrize(("provider", "model"), PICTURES, ids=lambda value: value)
def test_pictures_are_at_the_documents_addresses(led: Intercepted, provider: str, model: str) -> None:
    url = picture_of(led, provider, model)
    assert re.fullmatch(PICTURES[provider, model], url), url
    picture = led.http.get(url, follow_redirects=True)
    assert picture.content.startswith(b"\x89PNG")
    hosts = [urlsplit(str(answer.url)).hostname for answer in (*picture.history, picture)]
    assert set(hosts) <= set(led.facts.hosts), "a redirect must stay on documented hosts"


@pytest.mark.claim("IC-FILE-2")
def test_a_file_link_redirects_to_its_own_host(led: Intercepted) -> None:
    url = picture_of(led, "icodeeasy", "gpt-image-2")
    target = led.http.get(url).headers["Location"]
    assert target.startswith("https://api.icodeeasy.cc/cdn/gpt-image-2/")


def test_a_signed_link_keeps_its_signature(led: Intercepted) -> None:
    url = picture_of(led, "xhuoapi", "dall-e-3")
    assert {"se", "sig"} <= dict(parse_qsl(urlsplit(url).query)).keys()
    assert led.http.get(url.partition("?")[0]).status_code == 403


def test_a_callback_has_them_too(led: Intercepted) -> None:
    body = {"model": "gpt-image-2", "prompt": "a fox", "callback_url": "https://app.example.com/done"}
    led.http.post(f"https://api.xhuoapi.ai{GENERATIONS['xhuoapi']}", json=body, headers=KEY)
    led.scene.advance(1)
    (delivery,) = led.scene.deliveries()
    assert b"https://platform.cdn.xhuoapi.ai/gpt-image/" in delivery.body


@pytest.mark.parametrize("provider", API)
def test_plain_http_changes_nothing(led: Intercepted, provider: str) -> None:
    """By prefix, by `Host`, and by a proxy without TLS: addresses of this server."""
    root, body = led.scene.root, {"model": MODELS[provider], "prompt": "a fox"}
    calls = (
        led.scene.http.post(f"/{provider}{GENERATIONS[provider]}", json=body, headers=KEY),
        led.scene.http.post(GENERATIONS[provider], json=body, headers={**KEY, "Host": API[provider]}),
        led.http.post(f"http://{API[provider]}{GENERATIONS[provider]}", json=body, headers=KEY),
    )
    for answer, base in zip(calls, (root, root, led.facts.url), strict=True):
        found: Any = answer.json()
        if provider == "evolink":
            path = f"/evolink/v1/tasks/{found['id']}"
            found = {"data": [{"url": led.scene.http.get(path, headers=KEY).json()["results"][0]}]}
        url = found["data"][0]["url"]
        assert url.startswith(f"{base}/{provider}/")
        assert read_picture(led.scene.http, url)


def test_https_in_absolute_form_is_https(led: Intercepted) -> None:
    """Some clients send a proxy the whole https URL instead of a CONNECT."""
    url = f"https://api.xhuoapi.ai{GENERATIONS['xhuoapi']}"
    body = b'{"model": "gpt-image-2", "prompt": "a fox"}'
    head = f"POST {url} HTTP/1.1\r\nHost: api.xhuoapi.ai\r\nAuthorization: Bearer k\r\nConnection: close\r\n"
    sent = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    with closing(led.connect(sent)) as connection:
        assert b"https://platform.cdn.xhuoapi.ai/gpt-image/" in read_all(connection)


def test_an_unknown_host_inside_the_tunnel_gets_no_address(led: Intercepted) -> None:
    """The TLS name was a documented one; the `Host` inside is not."""
    answer = led.http.get("https://api.evolink.ai/v1/credits", headers={**KEY, "Host": "evil.example"})
    assert answer.status_code == 404
    assert "evil.example" not in answer.headers.get("Location", "")
