"""Faults that a request carries itself: a key's ending, and directives in a prompt."""

from contextlib import suppress

import pytest
from engine.world import words
from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Failure
from mockserver.faults.triggers import NONE, Directives, directives, key_trigger


@pytest.mark.parametrize(
    ("ending", "kind", "retry_after"),
    [
        ("401", Kind.UNAUTHENTICATED, None),
        ("402", Kind.OUT_OF_BALANCE, None),
        ("429", Kind.RATE_LIMITED, 1.0),
        ("500", Kind.INTERNAL, None),
    ],
)
@pytest.mark.parametrize("start", ["sk_test", "", "키"])
def test_the_ending_of_a_key_selects_a_refusal(start: str, ending: str, kind: Kind, retry_after: float | None) -> None:
    problem = key_trigger(f"{start}-mock-{ending}")
    assert problem is not None
    assert (problem.kind, problem.retry_after, problem.detail) == (kind, retry_after, f"the key ends in -mock-{ending}")


@pytest.mark.parametrize(
    "key", ["", "sk_test", "-mock-404", "sk-mock-401x", "sk-MOCK-401", "mock-401", "sk-mock-401 ", "sk-mock-４０１"]
)
def test_other_keys_select_no_refusal(key: str) -> None:
    assert key_trigger(key) is None


def test_every_call_gets_a_refusal_of_its_own() -> None:
    assert key_trigger("k-mock-500") is not key_trigger("k-mock-500")


@pytest.mark.parametrize(
    ("prompt", "failure"),
    [
        ("[mock:fail]", Failure(Kind.FAILED, None, "[mock:fail]")),
        ("[mock:fail=]", Failure(Kind.FAILED, None, "[mock:fail]")),
        ("[mock:fail=service_error]", Failure(Kind.FAILED, "service_error", "[mock:fail=service_error]")),
        ("[mock:moderated]", Failure(Kind.MODERATED, None, "[mock:moderated]")),
        ("고양이 [mock:moderated] 그림", Failure(Kind.MODERATED, None, "[mock:moderated]")),
    ],
)
def test_a_directive_sets_a_failure(prompt: str, failure: Failure) -> None:
    assert directives(prompt) == Directives(failure=failure)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0.0), ("2.5", 2.5), ("86400", 86400.0), ("1e2", 100.0), ("-0", 0.0)]
)
def test_a_directive_sets_a_duration(text: str, seconds: float) -> None:
    assert directives(f"a cat [mock:delay={text}]") == Directives(delay=seconds)


@pytest.mark.parametrize(("status", "retry_after"), [(400, None), (418, None), (429, 1.0), (503, None), (599, None)])
def test_a_directive_sets_a_status(status: int, retry_after: float | None) -> None:
    found = directives(f"a cat [mock:status={status}]")
    assert found.answer is not None
    assert (found.failure, found.delay) == (None, None)
    assert (found.answer.kind, found.answer.status, found.answer.retry_after) == (Kind.FAILED, status, retry_after)


def test_directives_can_be_combined() -> None:
    found = directives("[mock:fail=timeout][mock:delay=3] a [mock:status=502] cat")
    assert (found.failure, found.delay) == (Failure(Kind.FAILED, "timeout", "[mock:fail=timeout]"), 3.0)
    assert found.answer is not None
    assert found.answer.status == 502


@pytest.mark.parametrize("prompt", ["", "a cat", "mock:fail", "[ mock:fail]", "[MOCK:fail]", "[mock]", "[mock :fail]"])
def test_other_prompts_hold_no_directive(prompt: str) -> None:
    assert directives(prompt) is NONE


WRONG = [
    f"[mock:{text}]"
    for text in words(
        "explode FAIL moderated=yes delay delay= delay=-1 delay=nan delay=inf delay=86401 delay=5s",
        "status status=200 status=399 status=600 status=ok fail=UPPER fail=9 fail=a-b fail==",
    )
]


@pytest.mark.parametrize("directive", [*WRONG, "[mock:]", "[mock:fail=" + "a" * 65 + "]", "[mock:" + "x" * 5000 + "]"])
def test_a_wrong_directive_is_refused_saying_what_exists(directive: str) -> None:
    with pytest.raises(Problem) as refusal:
        directives(f"a cat {directive}")
    assert (refusal.value.kind, refusal.value.field) == (Kind.INVALID_PARAMETER, "prompt")
    assert "[mock:" in refusal.value.detail
    assert len(refusal.value.detail) < 200


def test_a_status_is_a_whole_number() -> None:
    with pytest.raises(Problem):
        directives("[mock:status=404.5]")


@given(st.text().map("[mock:{}]".format) | st.text())
def test_any_prompt_is_read_or_refused(prompt: str) -> None:
    with suppress(Problem):
        directives(prompt)
