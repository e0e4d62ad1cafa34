"""Faults that a request itself asks for: by the ending of its API key, and by directives in its prompt.

They work without a control call, as a payment provider's test keys and test cards do.
"""

import re

from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.latency import LONGEST
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.tasks import Failure

RETRY_AFTER = 1.0
"""The `Retry-After` of a triggered 429, in seconds."""

_KEY_ENDINGS = {
    "-mock-401": Problem(Kind.UNAUTHENTICATED, "the key ends in -mock-401"),
    "-mock-402": Problem(Kind.OUT_OF_BALANCE, "the key ends in -mock-402"),
    "-mock-429": Problem(Kind.RATE_LIMITED, "the key ends in -mock-429", retry_after=RETRY_AFTER),
    "-mock-500": Problem(Kind.INTERNAL, "the key ends in -mock-500"),
}
_DIRECTIVE = re.compile(r"\[mock:([^\]\[\s=]{0,40})(?:=([^\]\[]{0,80}))?\]")
MOST_DIRECTIVES = 20
_STATUS = re.compile(r"[45][0-9]{2}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


def key_trigger(key: str) -> Problem | None:
    """The refusal that a key's ending asks for, None without one. A new object: each is raised once."""
    problem = _KEY_ENDINGS.get(key[-9:])
    return problem and Problem(problem.kind, problem.detail, retry_after=problem.retry_after)


@fast_dataclass
class Directives:
    """The directives of a prompt.

    `failure` is the generation's failure, `delay` its duration in seconds, `answer` the refusal of the call.
    """

    failure: Failure | None = None
    delay: float | None = None
    answer: Problem | None = None


NONE = Directives()


def directives(prompt: str) -> Directives:
    """Read the `[mock:…]` directives of a prompt.

    Raises:
        Problem: INVALID_PARAMETER for an unknown directive or a wrong value; its text says what is valid.
    """
    if "[mock:" not in prompt:
        return NONE
    failure, delay, answer = None, None, None
    count = prompt.count("[mock:")
    if count > MOST_DIRECTIVES:
        raise _wrong(f"a prompt has at most {MOST_DIRECTIVES} [mock: directives")
    found = _DIRECTIVE.findall(prompt)
    if len(found) != count:
        raise _wrong("a directive has no closing ], or a space in its name; write it as [mock:delay=5]")
    for name, value in found:
        if name == "fail":
            failure = _failure(value)
        elif name == "moderated" and not value:
            failure = Failure(Kind.MODERATED, detail="[mock:moderated]")
        elif name == "delay":
            delay = _number(value, 0, LONGEST, "delay=SECONDS")
        elif name == "status":
            status = _status(value)
            retry_after = RETRY_AFTER if status == 429 else None
            answer = Problem(Kind.FAILED, f"[mock:status={status}]", status=status, retry_after=retry_after)
        else:
            raise _wrong(f"there is no directive [mock:{name[:40]}]; use fail, fail=CODE, moderated, delay or status")
    return Directives(failure, delay, answer)


def _failure(code: str) -> Failure:
    if code and not _CODE.fullmatch(code):
        raise _wrong("[mock:fail=CODE] takes an error code in lower case")
    return Failure(Kind.FAILED, code or None, f"[mock:fail{'=' + code if code else ''}]")


def _status(text: str) -> int:
    if not _STATUS.fullmatch(text):
        raise _wrong("[mock:status=CODE] takes a status from 400 to 599")
    return int(text)


def _number(text: str, low: float, high: float, form: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise _wrong(f"write it as [mock:{form}], a number from {low:g} to {high:g}")
    return number


def _wrong(detail: str) -> Problem:
    return Problem(Kind.INVALID_PARAMETER, detail, field="prompt")
