"""A task's state is a pure function of the time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.world import T0, job, task
from mockserver.engine.problems import Kind
from mockserver.engine.tasks import Failure, Status

MODERATED = Failure(Kind.MODERATED)
FAILED = Failure(Kind.FAILED)


@pytest.mark.parametrize(
    ("after", "status", "progress"),
    [
        (0, Status.PENDING, 0),
        (0.999, Status.PENDING, 0),
        (1, Status.PROCESSING, 1),
        (10.5, Status.PROCESSING, 50),
        (19.999, Status.PROCESSING, 98),
        (20, Status.COMPLETED, 100),
        (10**6, Status.COMPLETED, 100),
    ],
)
def test_a_task_goes_through_its_states(after: float, status: Status, progress: int) -> None:
    assert (task().status_at(T0 + after), task().progress_at(T0 + after)) == (status, progress)
    assert task().ended_at(T0 + after) == (after >= 20)


def test_a_task_of_no_duration_has_ended_at_once() -> None:
    instant = task(due=T0, planned=T0)
    assert (instant.status_at(T0), instant.progress_at(T0), instant.ended_at(T0)) == (Status.COMPLETED, 100, True)


@pytest.mark.claim("EV-TASK-2")
def test_a_failed_task_keeps_its_progress() -> None:
    failed = task(failure=MODERATED)
    seen = [(failed.status_at(T0 + at), failed.progress_at(T0 + at)) for at in (0, 10.5, 20, 500)]
    assert seen == [(Status.PENDING, 0), (Status.PROCESSING, 50), (Status.FAILED, 99), (Status.FAILED, 99)]


@pytest.mark.parametrize(("at", "progress"), [(0.5, 0), (10.5, 50), (19.999, 98)])
def test_a_cancelled_task_ends_there_and_then(at: float, progress: int) -> None:
    cancelled = task().ended(T0 + at, Failure(Kind.CANCELLED))
    assert (cancelled.due, cancelled.planned, cancelled.failure) == (T0 + at, T0 + 20, Failure(Kind.CANCELLED))
    assert [cancelled.status_at(T0 + later) for later in (at, 500)] == [Status.FAILED] * 2
    assert [cancelled.progress_at(T0 + later) for later in (at, 500)] == [progress] * 2


@given(duration=st.floats(0, 10**5), times=st.lists(st.floats(-10, 2 * 10**5)), failure=st.sampled_from([None, FAILED]))
def test_progress_never_falls_and_100_is_completed(
    duration: float, times: list[float], failure: Failure | None
) -> None:
    some = task(due=T0 + duration, planned=T0 + duration, failure=failure)
    seen = [(some.status_at(T0 + at), some.progress_at(T0 + at)) for at in sorted(times)]
    progresses = [progress for _, progress in seen]
    assert progresses == sorted(progresses)
    for status, progress in seen:
        assert (progress == 100) == (status is Status.COMPLETED)
        assert status is not Status.PENDING or progress == 0
        assert status is not Status.PROCESSING or 1 <= progress <= 99


def test_a_failure_and_a_delay_can_be_set_on_a_job() -> None:
    assert job().with_outcome(MODERATED, 3.0) == job(failure=MODERATED, delay=3.0)
    assert job().with_outcome(None, 0.0) == job(delay=0.0)
    assert job(delay=5.0).with_outcome(MODERATED, None) == job(failure=MODERATED, delay=5.0)
    assert job().with_outcome(None, None) == job()


def test_a_failure_of_the_job_itself_wins() -> None:
    assert job(failure=FAILED).with_outcome(MODERATED, None).failure is FAILED
