"""Problems: the parts of a refusal that are the same for all providers."""

from mockserver.engine.problems import Kind, Problem


def test_a_problem_holds_the_parts_of_an_error() -> None:
    problem = Problem(Kind.RATE_LIMITED, "too fast", field="prompt", retry_after=1.5, status=430, code="slow_down")
    said = (problem.kind, problem.detail, problem.field, problem.retry_after, problem.status, problem.code)
    assert said == (Kind.RATE_LIMITED, "too fast", "prompt", 1.5, 430, "slow_down")
    assert str(problem) == "('rate_limited', 'too fast')"


def test_parts_that_are_not_given_are_none() -> None:
    problem = Problem(Kind.INTERNAL)
    assert (problem.detail, problem.field, problem.retry_after, problem.status, problem.code) == ("", *[None] * 4)
