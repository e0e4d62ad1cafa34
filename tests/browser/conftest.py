"""A browser for the live page: Debian's chromium; without it these tests are skipped and say so."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from support.scene import Scene

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One for a module of tests and no longer: while it is open, no other event loop can run in this thread."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield found
        found.close()


class Page:
    """The live page of a server in the browser, with what went wrong on it and what it asked for."""

    def __init__(self, scene: Scene, page: Any) -> None:
        self.scene, self.page = scene, page
        self.errors: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def open(self, panel: str = "requests") -> Any:
        self.page.goto(f"{self.scene.root}/_mock/#{panel}")
        self.page.wait_for_selector("#connection[data-state=live]")
        return self.page


@pytest.fixture
def live(browser: Any, scene: Scene) -> Iterator[Page]:
    """The page, 1280 pixels wide; at the end it must have met no error and asked no other host."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = Page(scene, context.new_page())
    page.page.set_default_timeout(8_000)
    yield page
    context.close()
    assert page.errors == []
    assert {url for url in page.asked if not url.startswith(scene.root)} == set()
