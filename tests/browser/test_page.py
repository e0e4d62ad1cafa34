"""The live page in a real browser: each panel, what its buttons do, and what it keeps out."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from browser.conftest import Page
from control.steer import add, ask, route_app, script
from support.calls import Caller
from support.scene import Scene

EVIL = "<img src=x onerror=document.title='owned'> <b>책을 읽는 작은 여우</b>"


@pytest.fixture
def scene(serve: Any) -> Scene:
    """A server where a generation takes 20 s, and whose receiver answers 500 once."""
    found: Scene = serve(latency="20")
    route_app(found)
    script(found, 500, name="x")
    return found


def submit(scene: Scene, prompt: str = "a fox") -> str:
    answer = Caller(scene, "evolink", "k").generate(prompt=prompt, callback_url="https://app.example.com/x")
    return str(answer.json()["id"])


def until(page: Any, condition: Callable[[], bool]) -> None:
    """Let the page run until something is so, for at most 5 seconds. The page's policy lets no string be evaluated."""
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to pass")


def panel(page: Any) -> Any:
    return page.locator("#panel")


def test_empty_panels_say_what_to_do_next(live: Page) -> None:
    page = live.open()
    assert "curl http" in panel(page).inner_text()
    for name in ("Tasks", "Callbacks", "Money"):
        page.get_by_role("tab", name=name).click()
        panel(page).get_by_text("curl").first.wait_for()


def test_requests_appear_as_they_come_and_are_filtered(live: Page) -> None:
    page = live.open()
    submit(live.scene, "first")
    page.get_by_text("first").wait_for()
    Caller(live.scene, "icodeeasy", "sk_k-mock-402").generate(prompt="second")
    page.get_by_text("payment_required").wait_for()
    page.get_by_label("Status").select_option("4")
    until(page, lambda: page.locator(".feed .row").count() == 1)
    page.get_by_label("Status").select_option("")
    page.get_by_label("Search").fill("nothing like it")
    page.get_by_text("No request matches").wait_for()


def test_a_call_is_followed_to_its_task_picture_callback_and_money(live: Page) -> None:
    task = submit(live.scene)
    live.scene.advance(30)
    page = live.open()
    page.locator(".feed .row").first.click()
    detail = page.get_by_role("dialog")
    detail.get_by_text(task).first.wait_for()
    detail.get_by_alt_text("Picture 1 of: a fox").wait_for()
    for text in ("balance 997.5", "attempt 2", "https://app.example.com/x", "Request headers"):
        assert text in detail.inner_text() or detail.get_by_text(text).count()
    page.keyboard.press("Escape")
    assert not detail.is_visible()


def test_send_again(live: Page) -> None:
    submit(live.scene)
    page = live.open()
    page.locator(".feed .row").first.click()
    page.get_by_role("button", name="Send again").click()
    page.get_by_text("Sent again: 200.").wait_for()
    assert len(ask(live.scene, "GET", "tasks")["tasks"]) == 2


def test_an_advance_moves_a_progress_bar(live: Page) -> None:
    submit(live.scene)
    page = live.open("tasks")
    assert page.locator("progress").first.get_attribute("value") is not None
    before = page.locator("progress").first.evaluate("bar => bar.value")
    page.get_by_role("button", name="+7 s").first.click()
    until(page, lambda: page.locator("progress").first.evaluate("bar => bar.value") > before)
    page.get_by_role("button", name="until idle").first.click()
    panel(page).get_by_text("completed").wait_for()


def test_a_task_is_failed_by_hand(live: Page) -> None:
    submit(live.scene)
    page = live.open("tasks")
    page.get_by_role("button", name="Fail").click()
    panel(page).get_by_text("failed").wait_for()
    assert ask(live.scene, "GET", "tasks")["tasks"][0]["failure"]["code"] == "service_error"


def test_callbacks_on_their_axis_and_delivered_again(live: Page) -> None:
    submit(live.scene)
    live.scene.advance(30)
    page = live.open("callbacks")
    panel(page).get_by_text("+0 s · 500").wait_for()
    panel(page).get_by_text("+1 s · 200").wait_for()
    page.get_by_role("button", name="Deliver again").click()
    page.get_by_text("attempts begin anew").wait_for()


def test_a_balance_is_set(live: Page) -> None:
    submit(live.scene)
    page = live.open("money")
    page.get_by_label("New balance").fill("7.5")
    page.get_by_role("button", name="Set credits").click()
    panel(page).get_by_text("7.5", exact=True).wait_for()
    assert str(live.scene.money("evolink", "k")["balance"]) == "7.5"


def test_a_fault_of_the_form_fires_and_is_removed(live: Page) -> None:
    page = live.open("faults")
    page.get_by_label("status", exact=True).fill("503")
    page.get_by_label("Provider").select_option("evolink")
    page.get_by_label("times").fill("1")
    page.get_by_role("button", name="Add").click()
    panel(page).get_by_text("provider evolink").wait_for()
    assert Caller(live.scene, "evolink", "k").generate().status_code == 503
    page.get_by_role("button", name="Remove").click()
    panel(page).get_by_text("No fault is in force").wait_for()
    assert ask(live.scene, "GET", "faults")["faults"] == []


def test_the_clock_becomes_real(live: Page) -> None:
    page = live.open("clock")
    page.get_by_label("Speed", exact=True).last.fill("60")
    page.get_by_role("button", name="Real, at this speed").click()
    panel(page).get_by_text("60 seconds in a real one").wait_for()


def test_what_clients_sent_stays_text(live: Page) -> None:
    submit(live.scene, EVIL)
    live.scene.advance(30)
    page = live.open()
    page.get_by_text("<img src=x").first.wait_for()
    for name in ("Tasks", "Callbacks", "Money", "Advice"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(100)
    page.get_by_role("tab", name="Requests").click()
    page.locator(".feed .row").first.click()
    page.get_by_role("dialog").get_by_text("Request headers").wait_for()
    assert page.title() == "Image API mock server"
    assert page.locator("img[src=x]").count() == 0


def test_ten_thousand_requests_are_a_window_of_rows(live: Page) -> None:
    page = live.open()
    submit(live.scene)
    page.locator(".feed .row").first.wait_for()
    rows = page.evaluate(
        """async () => {
          const { state } = await import('/_mock/state.js'), feed = await import('/_mock/feed.js');
          for (let n = 0; n < 10_000; n++) feed.add({ ...state.requests[0], id: `r${n}`, prompt: `number ${n}` });
          const begun = performance.now();
          for (let n = 0; n < 20; n++) feed.refresh();
          const milliseconds = (performance.now() - begun) / 20;
          return [state.requests.length, document.querySelectorAll('.feed .row').length, milliseconds];
        }"""
    )
    assert (rows[0], rows[1] < 60, rows[2] < 100) == (10_000, True, True), rows


def test_by_keyboard(live: Page) -> None:
    submit(live.scene, "one")
    submit(live.scene, "two")
    page = live.open()
    page.locator(".feed .row").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_text("one").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Requests").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Tasks").get_attribute("aria-selected") == "true"


def test_a_page_of_another_site_reaches_nothing(live: Page, browser: Any) -> None:
    add(live.scene, "status")
    context = browser.new_context()
    page = context.new_page()
    page.route("http://evil.example/", lambda route: route.fulfill(body="<h1>evil</h1>", content_type="text/html"))
    page.goto("http://evil.example/")
    outcomes = page.evaluate(
        """async root => Promise.all([
          fetch(`${root}/_mock/reset`, { method: 'POST', body: '{}' }).then(answer => answer.status, () => 'blocked'),
          fetch(`${root}/_mock/tasks`).then(answer => answer.status, () => 'blocked'),
          new Promise(resolve => {
            const source = new EventSource(`${root}/_mock/events`);
            source.onopen = () => resolve('open');
            source.onerror = () => resolve('blocked');
          }),
        ])""",
        live.scene.root,
    )
    context.close()
    assert outcomes == ["blocked"] * 3
    assert len(ask(live.scene, "GET", "faults")["faults"]) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(live: Page, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    submit(live.scene, EVIL)
    add(live.scene, "status", {"provider": "icodeeasy"})
    live.scene.advance(30)
    page = live.open()
    page.emulate_media(color_scheme=scheme)
    for name in ("Requests", "Tasks", "Callbacks", "Money", "Faults", "Clock", "Advice"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(150)
        found = axe.Axe().run(page).response["violations"]
        serious = [item["id"] for item in found if item["impact"] in ("serious", "critical")]
        assert serious == [], (name, [node["html"] for item in found for node in item["nodes"]])


def test_at_360_pixels_nothing_overflows(live: Page) -> None:
    submit(live.scene, EVIL)
    page = live.open()
    page.set_viewport_size({"width": 360, "height": 740})
    for name in ("Requests", "Tasks", "Callbacks", "Money", "Faults", "Clock", "Advice"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_panels_that_nobody_looks_at_are_read_seldom(live: Page) -> None:
    began = monotonic()
    page = live.open("tasks")
    for number in range(10):
        submit(live.scene, str(number))
        page.wait_for_timeout(150)
    asked = [url.rpartition("/_mock/")[2].partition("?")[0] for url in live.asked]
    seldom = 2 + (monotonic() - began) // 3  # every 3 seconds
    assert asked.count("advice") <= seldom < asked.count("tasks"), asked


def test_a_slow_click_is_not_lost_while_requests_come(live: Page) -> None:
    submit(live.scene)
    page = live.open("tasks")
    picture = page.get_by_role("button", name="Open task").first
    picture.wait_for()
    for target, opened in (
        (picture, page.get_by_role("dialog")),
        (page.get_by_role("button", name="Close the detail"), page.locator("dialog:not([open])")),
        (page.get_by_role("tab", name="Requests"), page.get_by_role("tab", name="Requests", selected=True)),
        (page.locator(".feed .row").last, page.get_by_role("dialog")),
    ):
        press_slowly(live, target)
        opened.wait_for(state="attached")


def test_a_detail_that_was_closed_while_it_was_read_again_stays_closed(live: Page) -> None:
    task = submit(live.scene)
    page = live.open("tasks")
    page.get_by_role("button", name="Open task").first.click()
    page.get_by_role("dialog").wait_for()
    held: list[Any] = []
    page.route(f"**/_mock/tasks/{task}", lambda route: held.append(route))
    submit(live.scene)
    until(page, lambda: bool(held))
    page.get_by_role("button", name="Close the detail").click()
    for route in held:
        with page.expect_response(route.request.url):
            route.continue_()
    page.wait_for_timeout(300)
    assert page.get_by_role("dialog").count() == 0


def press_slowly(live: Page, target: Any) -> None:
    """Press the mouse on something, and let it go when more has happened."""
    target.hover()
    live.page.mouse.down()
    for _ in range(3):
        submit(live.scene)
        live.page.wait_for_timeout(150)
    live.page.mouse.up()
