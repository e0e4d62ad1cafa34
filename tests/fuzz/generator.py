"""Random requests over every route of every provider and of the control surface: valid ones, and mutations of them."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from test_bad_fuzz import mutated

from mockserver.providers.base import Provider

WORDS: tuple[Any, ...] = (
    *(
        "",
        " ",
        "a",
        "x" * 5_000,
        "1:1",
        "16:9",
        "1024x1024",
        "0x0",
        "4K",
        "auto",
        "high",
        "hd",
        "png",
        "url",
        "b64_json",
    ),
    *("gpt-image-2", "gpt-image-2-beta", "dall-e-3", "nano-banana", "caf\u00e9", "\U0001f98a", "\x00", "../..", "%00"),
    *("http://127.0.0.1:9/", "https://a.example/b.png", "ftp://a", "http://[", "data:image/png;base64,AAAA", "\u202e"),
    *(0, 1, -1, 2, 16, 17, 1.5, 1e308, 10**30, True, False, None, [], {}, [1], ["x"] * 20, {"a": {"b": []}}, [[[]]]),
)
FIELDS = (
    *("model", "prompt", "n", "size", "quality", "style", "resolution", "image", "image_urls", "image_input", "seed"),
    *("callback_url", "async", "trace_id", "response_format", "output_format", "background", "moderation", "stream"),
    *("action", "id", "ids", "type", "created_at_min", "user", "metadata", "zzz"),
)
CONTROL_FIELDS = (
    *("seconds", "until", "speed", "balance", "quota", "rate_limit", "responses", "routes", "from", "to", "api_key"),
    *("match", "fault", "skip", "times", "every", "probability", "engine", "faults", "faults_added", "zzz"),
)
QUERIES = ("limit", "cursor", "provider", "api_key", "task_id", "state", "wait", "from", "async", "signature", "x")
HEADERS: tuple[str, ...] = (
    "Expect: 100-continue",
    "User-Agent: caf\xe9",
    "X-\xe9: 1",
    "Range: bytes=0-5",
    "If-None-Match: *",
    "Origin: null",
)
HEADERS += (
    "Range: bytes=0-5",
    "Idempotency-Key: k",
    "Idempotency-Key: \xff",
    "Accept: text/html",
    "Content-Encoding: gzip",
)
KEYS = (
    *["sk_fuzz"] * 9,
    "sk_other",
    "sk_\xe9",
    "sk_fuzz-mock-401",
    "sk_fuzz-mock-402",
    "sk_fuzz-mock-429",
    "",
    "bad key",
)
HOSTILE = ("%ff", "%00", "..%2f", "%ED%A0%80", "a" * 3_000, "*", "caf%C3%A9", "%", "{id}")


@dataclass(frozen=True)
class Sent:
    """One request as bytes. `provider` is whose route it is, "" for none; `whole` if its head is not mutated."""

    data: bytes
    method: str
    path: str
    provider: str
    whole: bool


class Generator:
    """Makes requests. `control` are the control surface's (method, path); `ids` are ids that answers showed."""

    def __init__(self, seed: str, providers: Sequence[Provider], control: Sequence[tuple[str, str]]) -> None:
        self.chance = random.Random(seed)
        self.providers = providers
        self.control = control
        self.ids = ["x"]

    def request(self) -> Sent:
        """The next one."""
        make = self.chance.choice((*[self._provider] * 3, self._control, self._other))
        sent = make()
        if self.chance.random() < 0.2:
            return Sent(mutated(self.chance, sent.data), sent.method, sent.path, sent.provider, False)
        return sent

    def _provider(self) -> Sent:
        provider = self.chance.choice(self.providers)
        route = self.chance.choice(provider.routes)
        others = ("GET", "HEAD", "PUT", "OPTIONS", "CONNECT")
        method = route.method if self.chance.random() < 0.9 else self._word(others)
        path = f"/{provider.name}{self._filled(route.path)}"
        if method != "POST":
            return self._sent(method, path, b"")
        fields = {**provider.example.body, **self._fields(FIELDS)}
        if self.chance.random() < 0.5:
            fields["prompt"] = "a fox"
        if self.chance.random() < 0.25:
            return self._sent(method, path, self._form(fields), "multipart/form-data; boundary=BB")
        body = json.dumps(fields).encode()
        return self._sent(method, path, mutated(self.chance, body) if self.chance.random() < 0.2 else body)

    def _control(self) -> Sent:
        method, path = self.chance.choice(self.control)
        body = json.dumps(self._fields(CONTROL_FIELDS)).encode() if method not in ("GET", "DELETE") else b""
        return self._sent(method, self._filled(path), body)

    def _other(self) -> Sent:
        paths = ("/", "/healthz", "/readyz", "/nope", "/_mock/", "/_mock/nope", "//", "/xhuoapi", "/evolink/")
        return self._sent(self._word(("GET", "POST", "HEAD")), self._word(paths) + self._word(("", *HOSTILE)), b"")

    def _sent(self, method: str, path: str, body: bytes, content_type: str = "application/json") -> Sent:
        place = path[1:].partition("/")[0]
        if self.chance.random() < 0.2:
            name = self._word(QUERIES)
            value = "0.01" if name == "wait" else self._word((*HOSTILE, "0", "1", "-1", "9" * 40, "evolink", "failed"))
            path += f"?{name}={value}"
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {self._word(KEYS)}"]
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *self._some(HEADERS)]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        known = place if place in {provider.name for provider in self.providers} else ""
        return Sent(head + body, method, path, known, True)

    def _filled(self, path: str) -> str:
        while "{" in path:
            before, _, rest = path.partition("{")
            value = self.chance.choice(self.ids) if self.chance.random() < 0.7 else self._word(HOSTILE[:-1])
            path = before + value + rest.partition("}")[2]
        return path

    def _fields(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: self.chance.choice(WORDS) for name in self._some(names)}

    def _form(self, fields: dict[str, Any]) -> bytes:
        parts = [(f'name="{name}"', str(value).encode("utf-8", "replace")) for name, value in fields.items()]
        parts += [('name="image"; filename="a.png"', self._word((b"", b"x", b"\x89PNG\r\n\x1a\n" + bytes(30))))]
        head = "--BB\r\nContent-Disposition: form-data; "
        return b"".join((head + name).encode() + b"\r\n\r\n" + data + b"\r\n" for name, data in parts) + b"--BB--\r\n"

    def _some(self, values: Sequence[Any]) -> list[Any]:
        return self.chance.sample(values, self.chance.choice((0, 0, 1, 2, 3)))

    def _word(self, values: Sequence[Any]) -> Any:
        return self.chance.choice(values)
