"""Large input: refused or taken within a second of its last byte, while others are served."""

import base64
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import perf_counter
from urllib.parse import urlsplit

import httpx
import pytest
from http_server.test_multipart import UPLOAD, fields, form, png
from test_bad_wire import (
    EDIT_PATHS,
    PATHS,
    PROVIDERS,
    VALID,
    assert_refused,
    chunked,
    parsed,
    provider,
    request,
    server,
    silent,
    talk,
)

from mockserver.engine.store import Wanted
from support.scene import Scene

__all__ = ["provider", "server", "silent"]  # fixtures

MB = 1024 * 1024
LONGEST_ANSWER = 1.0
"""Seconds from the last byte (issue 2, "Bad input")."""

LONGEST_STALL = 0.3
"""Seconds that another client may have to wait; generous, since client and server share one interpreter here."""


@dataclass
class Poller:
    worst: float = 0.0


@contextmanager
def polling(server: Scene) -> Iterator[Poller]:
    """Another client, which asks for its credits all the while."""
    seen, over = Poller(), Event()
    split = urlsplit(server.root)

    def poll() -> None:
        with closing(socket.create_connection((split.hostname, split.port))) as connection:
            while not over.wait(0.002):
                started = perf_counter()
                connection.sendall(request("/evolink/v1/credits", method="GET"))
                assert connection.recv(4096)
                seen.worst = max(seen.worst, perf_counter() - started)

    thread = Thread(target=poll)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def quickly(server: Scene, data: bytes) -> httpx.Response:
    """The answer to a large request, in time and with another client served all the while."""
    with polling(server) as others:
        started = perf_counter()
        answer = parsed(talk(server.root, data, timeout=5))
        took = perf_counter() - started
    assert took < LONGEST_ANSWER, f"answered after {took:.2f} s"
    assert others.worst < LONGEST_STALL, f"others waited {others.worst:.2f} s"
    return answer


def extra(provider: str, json: bytes) -> bytes:
    """A valid body with more in it."""
    return VALID[provider][:-1] + b"," + json + b"}"


@pytest.mark.parametrize("body", [b"a" * 20 * MB, b"[" * 20 * MB, b" " * 20 * MB, bytes(20 * MB)], ids="a[ 0")
def test_20_mb_of_junk(server: Scene, provider: str, body: bytes) -> None:
    assert_refused(quickly(server, request(PATHS[provider], body)), provider)


def test_20_mb_of_an_unknown_field(server: Scene, provider: str) -> None:
    answer = quickly(server, request(PATHS[provider], extra(provider, b'"z":"' + b"a" * 20 * MB + b'"')))
    assert answer.status_code == 200


def test_20_mb_of_prompt(server: Scene, provider: str) -> None:
    answer = quickly(server, request(PATHS[provider], extra(provider, b'"prompt":"' + b"a" * 20 * MB + b'"')))
    assert_refused(answer, provider, param="prompt" if provider == "evolink" else None)


MANY = {"lists": b"[],", "objects": b"{},", "numbers": b"1,", "texts": b'"abcdef",'}


@pytest.mark.parametrize("item", MANY.values(), ids=MANY)
def test_20_mb_of_small_values(server: Scene, item: bytes) -> None:
    body = extra("evolink", b'"z":[' + item * (20 * MB // len(item)) + b"0]")
    assert quickly(server, request(PATHS["evolink"], body)).status_code in (200, 400)


def test_20_mb_of_keys(server: Scene) -> None:
    body = extra("evolink", b",".join(b'"k%d":1' % n for n in range(1_600_000)))
    assert quickly(server, request(PATHS["evolink"], body)).status_code in (200, 400)


@pytest.mark.parametrize("name", ["image_urls", "image_input"])
def test_a_long_list_of_wrong_references(server: Scene, name: str) -> None:
    body = extra("icodeeasy", b'"%s":[%s1]' % (name.encode(), b"1," * 500_000))
    assert_refused(quickly(server, request(PATHS["icodeeasy"], body)), "icodeeasy")


def test_a_long_list_of_wrong_references_at_evolink(server: Scene) -> None:
    body = extra("evolink", b'"image_urls":[' + b"1," * 50_000 + b"1]")
    assert_refused(quickly(server, request(PATHS["evolink"], body)), "evolink", param="image_urls")


def test_a_long_list_of_wrong_task_ids(server: Scene) -> None:
    body = b'{"action":"retrieve_batch","ids":[' + b"1," * 500_000 + b"1]}"
    assert_refused(quickly(server, request("/xhuoapi/v1/openai/tasks", body)), "xhuoapi")


@pytest.mark.parametrize("text", [b"[mock:", b"[mock:a=", b"[mock:a=]"])
def test_a_prompt_full_of_directives(server: Scene, text: bytes) -> None:
    body = extra("xhuoapi", b'"prompt":"' + text * (31_990 // len(text)) + b'"')
    assert quickly(server, request(PATHS["xhuoapi"], body)).status_code in (200, 400)


@pytest.mark.parametrize("text", ["1", "a.", "é."], ids=ascii)
def test_a_long_callback_url(server: Scene, text: str) -> None:
    url = f'"callback_url":"https://{text * 300_000}"'.encode()
    assert_refused(quickly(server, request(PATHS["xhuoapi"], extra("xhuoapi", url))), "xhuoapi")


@pytest.mark.parametrize(
    "data", [base64.b64encode(bytes(15 * MB)), b"A" * 20 * MB + b"*"], ids=["no-picture", "no-base64"]
)
def test_20_mb_of_data_url(server: Scene, data: bytes) -> None:
    body = extra("icodeeasy", b'"image_urls":["data:image/png;base64,' + data + b'"]')
    assert_refused(quickly(server, request(PATHS["icodeeasy"], body)), "icodeeasy")


def test_sixteen_large_pictures(server: Scene) -> None:
    parts = [*fields("icodeeasy"), *[('name="image"; filename="a"', png(4_000, 4_000))] * 16]
    sent = request(EDIT_PATHS["icodeeasy"], form(parts), "Content-Type: multipart/form-data; boundary=BB")
    with polling(server) as others:
        assert parsed(talk(server.root, sent, timeout=30)).status_code in (200, 400)
    assert others.worst < LONGEST_STALL


@pytest.mark.parametrize("data", [b"\r\n" * 10 * MB, b"\r\n--B" * 4 * MB], ids=["line-ends", "near-boundaries"])
def test_20_mb_of_upload(server: Scene, data: bytes) -> None:
    body = form([*fields("xhuoapi"), UPLOAD, ('name="image"; filename="b"', data)])
    sent = request(EDIT_PATHS["xhuoapi"], body, "Content-Type: multipart/form-data; boundary=BB")
    assert_refused(quickly(server, sent), "xhuoapi")


def test_beyond_32_mb_by_its_length(server: Scene, provider: str) -> None:
    assert_refused(quickly(server, request(PATHS[provider], length=32 * MB + 1)), provider, 413)


def test_beyond_32_mb_and_sent(server: Scene, provider: str) -> None:
    assert_refused(quickly(server, request(PATHS[provider], bytes(33 * MB))), provider, 413)


def test_beyond_32_mb_in_chunks(server: Scene, provider: str) -> None:
    body = (b"10000\r\n" + bytes(65536) + b"\r\n") * (33 * 16) + b"0\r\n\r\n"
    assert_refused(quickly(server, chunked(PATHS[provider], body)), provider, 413)


def test_beyond_32_mb_as_a_form(server: Scene) -> None:
    for name in EDIT_PATHS:
        body = form([*fields(name), ('name="image"; filename="b"', bytes(33 * MB))])
        sent = request(EDIT_PATHS[name], body, "Content-Type: multipart/form-data; boundary=BB")
        assert_refused(quickly(server, sent), name, 413)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_decompression_bomb_is_not_decompressed(server: Scene, provider: str, coding: str) -> None:
    sent = request(PATHS[provider], bytes(10 * MB), f"Content-Encoding: {coding}")
    assert_refused(quickly(server, sent), provider)


def test_the_control_surface_refuses_beyond_32_mb(server: Scene) -> None:
    answer = parsed(talk(server.root, request("/_mock/reset", length=33 * MB)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_memory_is_sane_afterwards(server: Scene) -> None:
    for name in PROVIDERS:
        quickly(server, request(PATHS[name], extra(name, b'"z":"' + b"a" * 20 * MB + b'"')))
    entries, _ = server.server.run(server.server.app.engine.store.entries(Wanted(), 10_000))
    kept = sum(len(entry.body) + len(entry.response) for entry in entries)
    assert kept < 5 * MB
    assert _resident() < 2048 * MB


def _resident() -> int:
    with open("/proc/self/status") as status:
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read())
    return int(found[1]) * 1024 if found else 0
