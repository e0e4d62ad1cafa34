"""Due events of both queues, by time and then in the order in which they were planned."""

from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.schedule import Queue, Schedule

TIMES = st.sampled_from([1.0, 2.0, 3.0])


def drain(schedule: Schedule, now: float) -> list[tuple[float, str]]:
    """All that is due, taken out in its order, and the ends settled."""
    out = []
    while (event := schedule.claim_due(now)) is not None:
        out.append((event[0], event[2]))
        schedule.ends.discard(event[2])
    return out


def test_nothing_planned() -> None:
    schedule = Schedule()
    assert (schedule.claim_due(9e9), schedule.next_due(), schedule.attempts.pop_due(9e9)) == (None, None, None)
    assert Queue[str]().head() is None


def test_what_is_due_now_is_due_and_what_is_due_later_stays() -> None:
    schedule = Schedule()
    schedule.plan_end(5.0, "task")
    assert schedule.ends.pop_due(4.999) is None
    assert schedule.ends.pop_due(5.0) == (5.0, "task")
    assert (schedule.ends.pop_due(5.0), schedule.next_due()) == (None, None)


def test_a_task_is_open_until_its_end_is_settled() -> None:
    ends = Schedule().ends
    ends.push(5.0, 0, "planned")
    ends.keep("unplanned")
    assert ends.pop_due(5.0) == (5.0, "planned")
    assert (ends.names(), len(ends), "planned" in ends) == (["planned", "unplanned"], 2, True)
    assert (ends.discard("planned"), ends.discard("planned")) == (True, False)
    ends.push(6.0, 1, "planned")
    assert ends.discard_all(["planned", "unplanned", "unknown"]) == 2
    assert (len(ends), ends.is_due(9.0), ends.head()) == (0, False, None)


def test_both_queues_stand_under_one_order() -> None:
    schedule = Schedule()
    schedule.plan_attempt(2.0, "late attempt")
    schedule.plan_attempt(1.0, "first")
    schedule.plan_end(1.0, "second")
    schedule.plan_attempt(1.0, "third")
    schedule.plan_end(2.0, "late finish")
    assert schedule.next_due() == 1.0
    names = [name for _, name in drain(schedule, 2.0)]
    assert names == ["first", "second", "third", "late attempt", "late finish"]


@given(st.lists(st.tuples(TIMES, st.booleans())), TIMES)
def test_any_plan_falls_due_by_time_and_then_in_order(plan: list[tuple[float, bool]], now: float) -> None:
    schedule = Schedule()
    for n, (due, is_end) in enumerate(plan):
        (schedule.plan_end if is_end else schedule.plan_attempt)(due, str(n))
    expected = [(due, str(n)) for due, n in sorted((due, n) for n, (due, _) in enumerate(plan)) if due <= now]
    assert drain(schedule, now) == expected
    assert len(schedule.ends) + len(schedule.attempts) == len(plan) - len(expected)


def test_entries_show_the_plan_in_order() -> None:
    queue = Queue[str]()
    for order, due in enumerate([3.0, 1.0, 2.0, 1.0]):
        queue.push(due, order, f"n{order}")
    assert list(queue.entries()) == [(1.0, 1, "n1"), (1.0, 3, "n3"), (2.0, 2, "n2"), (3.0, 0, "n0")]
    assert queue.head() == (1.0, 1)


def test_ends_alone_are_claimed_where_no_attempt_may_run() -> None:
    schedule = Schedule()
    schedule.plan_attempt(1.0, "attempt")
    schedule.plan_end(2.0, "end")
    assert schedule.claim_end(2.0) == (2.0, "finish", "end")
    assert schedule.claim_end(2.0) is None
    assert list(schedule.planned()) == [(1.0, "attempt", "attempt")]
    assert schedule.claim_due(2.0) == (1.0, "attempt", "attempt")
