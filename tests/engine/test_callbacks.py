"""Deliveries: what counts as success, when the next attempt is due, and how it ends."""

import pytest

from mockserver.engine.callbacks import DOCUMENTED, Attempt, Delivery, Outcome, RetryPolicy, State

OK = Outcome(200, 0.1)
REFUSED = Outcome(None, 0.0, "Connection refused")
HUNG = Outcome(None, 10.0, "no answer within 10 s")


def delivery() -> Delivery:
    url = "https://app.example.com/hook"
    return Delivery("cb_1", "task-1", "studio", "acct_1", url, url, b"{}", 100.0, next_attempt=100.0)


def conclude(*outcomes: Outcome) -> tuple[Delivery, list[float | None]]:
    """A delivery whose attempts begin when they are due and take as long as they say; when each next one was due."""
    some, dues = delivery(), list[float | None]()
    for outcome in outcomes:
        began = some.next_attempt
        assert began is not None
        some = some.concluded(Attempt(began, outcome), began + outcome.duration, DOCUMENTED)
        dues.append(some.next_attempt)
    return some, dues


@pytest.mark.claim("EV-CB-4", "XH-CB-3")
def test_the_documented_policy() -> None:
    assert RetryPolicy(timeout=10.0, waits=(1.0, 2.0, 4.0)) == DOCUMENTED
    assert [DOCUMENTED.next_wait(failures) for failures in (1, 2, 3, 4, 5)] == [1.0, 2.0, 4.0, None, None]


@pytest.mark.claim("EV-CB-4")
@pytest.mark.parametrize(
    ("status", "success"),
    [(status, True) for status in (200, 201, 204, 299)]
    + [(status, False) for status in (None, 100, 199, 300, 302, 304, 400, 404, 500)],
)
def test_2xx_alone_is_success(status: int | None, success: bool) -> None:
    assert Outcome(status, 0.0).success is success


@pytest.mark.claim("EV-CB-4", "EV-CB-5")
def test_a_receiver_that_refuses_at_once_is_tried_at_0_1_3_7() -> None:
    gone, dues = conclude(REFUSED, REFUSED, REFUSED, REFUSED)
    assert dues == [101.0, 103.0, 107.0, None]
    assert gone.attempts == tuple(Attempt(100.0 + second, REFUSED) for second in (0, 1, 3, 7))
    assert (gone.state, gone.next_attempt, gone.ended) == (State.GAVE_UP, None, True)


@pytest.mark.claim("EV-CB-5")
def test_a_wait_counts_from_the_end_of_the_failed_attempt() -> None:
    assert conclude(HUNG, HUNG, HUNG, HUNG)[1] == [111.0, 123.0, 137.0, None]


@pytest.mark.parametrize("failures", range(4))
def test_any_success_ends_the_schedule(failures: int) -> None:
    done, dues = conclude(*[REFUSED] * failures, OK)
    assert (done.state, done.next_attempt, done.ended, dues[-1]) == (State.DELIVERED, None, True, None)
    assert [attempt.outcome for attempt in done.attempts] == [*[REFUSED] * failures, OK]


def test_a_new_delivery_is_waiting() -> None:
    waiting, _ = conclude(REFUSED)
    assert (waiting.state, waiting.next_attempt, waiting.ended) == (State.WAITING, 101.0, False)


def test_a_policy_without_waits_tries_once() -> None:
    once = delivery().concluded(Attempt(100.0, REFUSED), 100.0, RetryPolicy(10.0, ()))
    assert (once.next_attempt, once.state) == (None, State.GAVE_UP)


def test_concluding_an_attempt_makes_a_new_delivery() -> None:
    before = delivery()
    before.concluded(Attempt(100.0, REFUSED), 100.0, DOCUMENTED)
    assert before == delivery()
