"""The index page, and what a wrong turn is answered."""

import pytest

from support.calls import PROVIDERS
from support.scene import Scene


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_the_index_as_text(scene: Scene, accept: str) -> None:
    answer = scene.http.get("/", headers={"Accept": accept})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    for provider in PROVIDERS.values():
        assert provider.base_url(scene.root) in answer.text
    assert answer.text.count("curl ") == len(PROVIDERS)
    assert f"{scene.root}/_mock/health" in answer.text


def test_the_index_as_a_page(scene: Scene) -> None:
    answer = scene.http.get("/", headers={"Accept": "text/html,*/*"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")
    assert answer.text.count("curl ") == len(PROVIDERS)


def test_its_head(scene: Scene) -> None:
    answer = scene.http.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(scene.http.get("/").content))


def test_it_takes_nothing_else(scene: Scene) -> None:
    answer = scene.http.post("/", content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["error"]["code"] == "wrong_method"


@pytest.mark.parametrize("path", ["/v1/images/generations", "/nope", "/xhuoapis", "/%00", "/_mocks"])
def test_a_wrong_turn_is_told_the_mounts(scene: Scene, path: str) -> None:
    answer = scene.http.post(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
    assert answer.json()["mounts"] == {name: one.base_url(scene.root) for name, one in PROVIDERS.items()}
    assert answer.json()["control"] == f"{scene.root}/_mock/health"
    assert answer.json()["error"]["code"] == "not_found"
