"""A client of one provider with one API key, over real HTTP, for the tests of providers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from mockserver.providers.base import discover
from support.scene import Scene

IMAGES = Path(__file__).parents[2] / "fixtures" / "images"
PROVIDERS = {provider.name: provider for provider in discover()}
"""Every provider: those of the package and those of installed packages."""

GENERATIONS = {name: provider.example.path for name, provider in PROVIDERS.items()}
EDITS = {"xhuoapi": "/v1/openai/images/edits", "icodeeasy": "/v1/images/edits"}
ASYNC: dict[str, Any] = {"async": True}
"""What xhuoapi's newer clients send (XH-ASYNC-1): `async` is a keyword of Python."""

MODELS = {name: provider.example.body["model"] for name, provider in PROVIDERS.items()}


@dataclass(frozen=True)
class Caller:
    """A client of one provider with one API key; paths are the documented ones, without the prefix."""

    scene: Scene
    provider: str
    key: str

    def keyed(self, key: str) -> "Caller":
        """The same with another key."""
        return replace(self, key=key)

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **content: Any
    ) -> httpx.Response:
        """A request below the provider's prefix, with the key unless `headers` have an Authorization of their own."""
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        return self.scene.http.request(method, f"/{self.provider}{path}", headers=sent, **content)

    def get(self, path: str, **content: Any) -> httpx.Response:
        return self.send("GET", path, **content)

    def post(self, path: str, body: Any, **content: Any) -> httpx.Response:
        return self.send("POST", path, json=body, **content)

    def body(self, without: Iterable[str] = (), **fields: Any) -> dict[str, Any]:
        """A generation's body: model and prompt, the fields given, less those left out."""
        body = {"model": MODELS[self.provider], "prompt": "a small fox", **fields}
        return {name: value for name, value in body.items() if name not in without}

    def generate(
        self,
        *,
        without: Iterable[str] = (),
        query: str = "",
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """POST to the generations endpoint."""
        return self.post(GENERATIONS[self.provider] + query, self.body(without, **fields), headers=headers)

    def edit(self, *, without: Iterable[str] = (), **fields: Any) -> httpx.Response:
        """POST JSON to the edits endpoint."""
        return self.post(EDITS[self.provider], self.body(without, **fields))

    def form(self, files: Iterable[tuple[str, Any]], *, without: Iterable[str] = (), **fields: Any) -> httpx.Response:
        """POST multipart/form-data to the edits endpoint; a file is (field, bytes or a tuple as httpx takes it)."""
        return self.send("POST", EDITS[self.provider], data=self.body(without, **fields), files=list(files))

    def money(self) -> dict[str, Decimal]:
        return self.scene.money(self.provider, self.key)

    def captured(self) -> Decimal:
        """What this key was charged so far; nothing is held."""
        money = self.money()
        assert money["held"] == 0
        return money["captured"]

    def tasks(self) -> list[dict[str, Any]]:
        """This key's tasks by the control surface, newest first."""
        found: list[dict[str, Any]] = self.scene.mock("tasks", provider=self.provider, api_key=self.key)["tasks"]
        return found

    def requests(self) -> list[dict[str, Any]]:
        """This key's calls by the control surface, newest first."""
        found: list[dict[str, Any]] = self.scene.mock("requests", provider=self.provider, api_key=self.key)["requests"]
        return found

    def untouched(self) -> bool:
        """Whether this key has no task and all of its money."""
        money = self.money()
        return self.tasks() == [] and money["balance"] == money["opening"]


def fixture(name: str) -> bytes:
    """One of the pictures in fixtures/images."""
    return (IMAGES / name).read_bytes()


def pixels(data: bytes) -> tuple[int, int]:
    """(width, height) of a picture, decoded in full."""
    image = Image.open(BytesIO(data))
    image.load()
    return image.size


def read_picture(http: httpx.Client, url: str) -> tuple[int, int]:
    """(width, height) of the picture behind a URL that needs no key."""
    answer = http.get(url, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return pixels(answer.content)
