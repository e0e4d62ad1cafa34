"""What is due when: by time, then in the order in which it was planned, over both queues."""

from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.schedule import Queue, Schedule

TIMES = st.sampled_from([1.0, 2.0, 3.0])


def drain(schedule: Schedule, now: float) -> list[tuple[float, str]]:
    """All that is due, taken out in its order."""
    out = []
    while (queue := schedule.first()) and (due := queue.pop_due(now)):
        out.append(due)
    return out


def test_nothing_planned() -> None:
    schedule = Schedule()
    assert (schedule.first(), schedule.next_due(), schedule.attempts.pop_due(9e9)) == (None, None, None)
    assert Queue().head() is None


def test_what_is_due_now_is_due_and_what_is_due_later_stays() -> None:
    schedule = Schedule()
    schedule.finish(5.0, "task")
    assert schedule.finishes.pop_due(4.999) is None
    assert schedule.finishes.pop_due(5.0) == (5.0, "task")
    assert len(schedule.finishes) == 0


def test_both_queues_stand_under_one_order() -> None:
    schedule = Schedule()
    schedule.attempt(2.0, "late attempt")
    schedule.attempt(1.0, "first")
    schedule.finish(1.0, "second")
    schedule.attempt(1.0, "third")
    schedule.finish(2.0, "late finish")
    assert schedule.next_due() == 1.0
    names = [name for _, name in drain(schedule, 2.0)]
    assert names == ["first", "second", "third", "late attempt", "late finish"]


@given(st.lists(st.tuples(TIMES, st.booleans())), TIMES)
def test_any_plan_falls_due_by_time_and_then_in_order(plan: list[tuple[float, bool]], now: float) -> None:
    schedule = Schedule()
    for n, (due, is_finish) in enumerate(plan):
        (schedule.finish if is_finish else schedule.attempt)(due, str(n))
    expected = [(due, str(n)) for due, n in sorted((due, n) for n, (due, _) in enumerate(plan)) if due <= now]
    assert drain(schedule, now) == expected
    assert len(schedule.finishes) + len(schedule.attempts) == len(plan) - len(expected)


def test_entries_show_the_plan_in_order() -> None:
    queue = Queue()
    for order, due in enumerate([3.0, 1.0, 2.0, 1.0]):
        queue.push(due, order, f"n{order}")
    assert queue.entries() == [(1.0, 1, "n1"), (1.0, 3, "n3"), (2.0, 2, "n2"), (3.0, 0, "n0")]
    assert queue.head() == (1.0, 1)


def test_clear_forgets_everything() -> None:
    schedule = Schedule()
    schedule.finish(1.0, "a")
    schedule.attempt(1.0, "b")
    schedule.clear()
    assert (schedule.next_due(), len(schedule.finishes), len(schedule.attempts)) == (None, 0, 0)
