"""The advice on the live page, with much to say."""

import pytest

from browser.careless import PROMPT, RULES, live_carelessly
from browser.conftest import Page
from support.calls import Caller


@pytest.fixture
def page(live: Page) -> Page:
    """The page of a server with autojump: no call waits, and the clock stands still otherwise."""
    live.scene.http.put("/_mock/clock", json={"autojump": True}).raise_for_status()
    return live


def test_each_advice_says_what_was_seen_why_and_on_what_it_rests(page: Page) -> None:
    live_carelessly(page.scene)
    told = page.scene.mock("advice")["advice"]
    assert {one["rule"] for one in told} == RULES
    shown = page.open("advice").locator("#panel article")
    shown.first.wait_for()
    assert shown.count() == len(told)
    for number, one in enumerate(told):
        text = shown.nth(number).inner_text()
        for part in ("title", "rule", "seen", "why", "claim", "provider", "account"):
            assert one[part] in text, (one["rule"], part)
        if one["times"] > 1:
            assert f"{one['times']} times" in text


def test_an_advice_leads_to_its_call(page: Page) -> None:
    caller = Caller(page.scene, "icodeeasy", "sk_k")
    for _ in range(2):
        caller.generate(prompt=PROMPT, size="7:5")
    opened = page.open("advice")
    opened.get_by_role("button", name="Call 2: POST 400").click()
    detail = opened.get_by_role("dialog")
    detail.get_by_text(PROMPT).first.wait_for()
    assert "POST /icodeeasy/v1/images/generations" in detail.inner_text()


def test_advice_appears_while_the_page_is_open(page: Page) -> None:
    opened = page.open("advice")
    opened.get_by_text("No advice").wait_for()
    Caller(page.scene, "xhuoapi", "k").generate(n=3)
    opened.get_by_text("ignored-parameter").wait_for()
    assert "1" in opened.get_by_role("tab", name="Advice").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_much_advice_fits_a_telephone(page: Page, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    live_carelessly(page.scene)
    opened = page.open("advice")
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": 360, "height": 740})
    opened.locator("#panel article").first.wait_for()
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    found = axe.Axe().run(opened).response["violations"]
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
