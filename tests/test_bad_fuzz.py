"""A seeded mutator over valid requests: whatever comes, the answer is one of the provider's, and never a 5xx."""

import random

import pytest
from http_server.test_multipart import UPLOAD, fields, form
from test_bad_wire import EDIT_PATHS, PATHS, PROVIDERS, VALID, parsed, request, server, silent, talk

from support.scene import Scene

__all__ = ["server", "silent"]  # fixtures

ROUNDS = 150
INSERTS = (
    b"\x00",
    b"\r\n",
    b"\r\n\r\n",
    b"\xff",
    b"{",
    b"[",
    b'"',
    b"\\u",
    b"--",
    b"%00",
    b": ",
    b",",
    b"9" * 50,
    b"a" * 9000,
)


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Cut, doubled, flipped or with something put in, up to three times."""
    for _ in range(chance.randint(1, 3)):
        at, end = sorted(chance.randrange(len(data) + 1) for _ in "ab")
        kind = chance.randrange(4)
        if kind == 0:
            data = data[:at] + data[at + 1 + chance.randrange(8) :]
        elif kind == 1:
            data = data[:end] + data[at:end] + data[end:]
        elif kind == 2:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        else:
            data = data[:at] + chance.choice(INSERTS) + data[at:]
    return data


def check(server: Scene, sent: bytes) -> None:
    received = talk(server.root, sent, timeout=0.01)  # a request that is still incomplete is not answered
    if received:
        answer = parsed(received)
        assert answer.status_code < 500, (sent, received)
        assert answer.headers["content-type"].startswith(("application/json", "text/plain; charset=utf-8")), (
            sent,
            received,
        )
    assert server.http.get("/_mock/health").status_code == 200


@pytest.mark.parametrize("provider", PROVIDERS)
def test_mutated_requests(server: Scene, provider: str) -> None:
    chance = random.Random(f"wire {provider}")
    for _ in range(ROUNDS):
        check(server, mutated(chance, request(PATHS[provider], VALID[provider], "Connection: close")))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_mutated_bodies(server: Scene, provider: str) -> None:
    chance = random.Random(f"body {provider}")
    body = VALID[provider][:-1] + b',"n":1,"size":"1:1","image_urls":["https://a.example/b.png"],"callback_url":""}'
    for _ in range(ROUNDS):
        check(server, request(PATHS[provider], mutated(chance, body)))


@pytest.mark.parametrize("provider", EDIT_PATHS)
def test_mutated_forms(server: Scene, provider: str) -> None:
    chance = random.Random(f"form {provider}")
    for _ in range(ROUNDS):
        body = mutated(chance, form([*fields(provider), UPLOAD, ('name="n"', b"1")]))
        check(server, request(EDIT_PATHS[provider], body, "Content-Type: multipart/form-data; boundary=BB"))
