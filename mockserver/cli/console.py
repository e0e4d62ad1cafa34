"""Log lines: one for each request, each end of a task and each callback attempt, as text or as JSON.

API keys are redacted: a request's own key, and in a callback's URL the key of its account.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from mockserver.cli.output import json_line, paint
from mockserver.engine.accounts import account_id
from mockserver.engine.callbacks import Attempt, Delivery, State
from mockserver.engine.journal import REDACTED, Exchange, redact
from mockserver.engine.tasks import Task
from mockserver.http.context import ServedProvider
from mockserver.http.refusals import failure_refusal

LONGEST_WHAT = 200
"""Characters of a path or an address in a text line."""

_PIECES = (re.compile(r"[^\s/?&#=@'\"]{4,}"), re.compile(r"[A-Za-z0-9_-]{4,}"))
"""The pieces of an address that could be a key, from large to small."""

UNSENT: Mapping[str, str] = {State.CAPTURED: "callback captured, not sent", State.LOST: "callback lost"}
"""What is told of a callback that is never posted, by its state."""


class Lines(Protocol):
    """How events are written, each as one line."""

    def request(self, exchange: Exchange, task: Task | None) -> str:
        """A request that was answered, and the task that it was about, for the model and size of a submission."""

    def task_end(self, task: Task, delivery: Delivery | None) -> str:
        """A task that has ended, and its callback, if it has one."""

    def attempt(self, delivery: Delivery, attempt: Attempt) -> str:
        """One attempt of a callback, made."""


class TextLines:
    """Columns for people: time, provider, event, status, duration, and details.

    Args:
        providers: by name.
        colour: whether to add terminal colours.
    """

    def __init__(self, providers: Mapping[str, ServedProvider], colour: bool = False) -> None:
        self._providers = providers
        self._colour = colour
        self._width = max(map(len, providers), default=0)
        self._second, self._clock = -1, ""

    def request(self, exchange: Exchange, task: Task | None) -> str:
        path = redact(exchange.path, exchange.secret).removeprefix(f"/{exchange.provider}")
        details = [exchange.error] if exchange.error else []
        if exchange.cost is not None and not details:
            details.append(f"{exchange.cost} {self._providers[exchange.provider].currency.code}")
        task = task if _submits(exchange) else None
        if task is not None:
            details.append(f"{_generation(task)}  {task.id}")
            if task.failure and not exchange.error:
                details.append(f"will fail: {_failure_code(task, self._providers)}")
        if exchange.note:
            details.append(redact(exchange.note, exchange.secret))
        what = f"{exchange.method} {path}"
        status = exchange.status
        return self.line(
            exchange.time, exchange.provider, what, status, exchange.duration or 0.0, "  ".join(details), status
        )

    def task_end(self, task: Task, delivery: Delivery | None) -> str:
        job = task.job
        currency = self._providers[job.provider].currency
        cost = f"{currency.text(job.cost)} {currency.code}"
        code = _failure_code(task, self._providers)
        details = f"failed: {code}  {cost} released" if code else f"completed  {cost}"
        if delivery is not None and delivery.state in UNSENT:
            details += f"  {UNSENT[delivery.state]}"
        sign, status = ("✗", 500) if code else ("✓", 200)
        return self.line(task.due, job.provider, f"task {task.id}", sign, task.due - task.created, details, status)

    def attempt(self, delivery: Delivery, attempt: Attempt) -> str:
        outcome = attempt.outcome
        what = f"callback → {without_key(delivery.routed or delivery.target, delivery.account)}"
        number = len(delivery.attempts)
        details = delivery.task_id + ("" if outcome.success and number == 1 else f"  attempt {number}")
        if outcome.error:
            details += f": {without_key(outcome.error, delivery.account)}"
        details += f"  {_sequel(delivery, attempt)}"
        return self.line(
            attempt.time, delivery.provider, what, outcome.status, outcome.duration, details, outcome.status
        )

    def line(
        self,
        when: float,
        provider: str,
        what: str,
        shown: int | str | None,
        seconds: float,
        details: str,
        status: int | None,
    ) -> str:
        """`shown` stands in the column of the status, in the colour of `status`."""
        second = int(when)
        if second != self._second:
            self._second, self._clock = second, paint(f"{datetime.fromtimestamp(second):%H:%M:%S}", "2", self._colour)
        sign = str(shown or "—").rjust(3)
        if self._colour:
            sign = paint(sign, _status_colour(status), True)
        what = _shortened(_printable(what))
        line = f"{self._clock}  {_printable(provider):{self._width}}  {what:40}  {sign}  {duration_text(seconds):>8}"
        return f"{line}  {_printable(details)}" if details else line


class JsonLines:
    """One JSON object for each, with the same facts. Times are Unix seconds, durations seconds."""

    def __init__(self, providers: Mapping[str, ServedProvider]) -> None:
        self._providers = providers

    def request(self, exchange: Exchange, task: Task | None) -> str:
        task = task if _submits(exchange) else None
        return json_line(
            "request",
            time=exchange.time,
            id=exchange.id,
            provider=exchange.provider,
            account=exchange.account or None,
            method=exchange.method,
            path=redact(exchange.path, exchange.secret),
            status=exchange.status,
            duration=round(exchange.duration or 0.0, 6),
            cost=exchange.cost,
            currency=self._providers[exchange.provider].currency.code,
            task_id=exchange.task_id,
            **_generation_facts(task),
            failure=_failure_code(task, self._providers) if task else None,
            error=exchange.error,
            note=redact(exchange.note, exchange.secret) or None,
        )

    def task_end(self, task: Task, delivery: Delivery | None) -> str:
        job = task.job
        currency = self._providers[job.provider].currency
        code = _failure_code(task, self._providers)
        return json_line(
            "task",
            time=task.due,
            id=task.id,
            provider=job.provider,
            account=job.account,
            **_generation_facts(task),
            status="failed" if code else "completed",
            error=code,
            duration=round(task.due - task.created, 6),
            cost="0" if code else currency.text(job.cost),
            released=currency.text(job.cost) if code else "0",
            currency=currency.code,
            callback=delivery.state if delivery else None,
        )

    def attempt(self, delivery: Delivery, attempt: Attempt) -> str:
        outcome = attempt.outcome
        return json_line(
            "callback",
            time=attempt.time,
            id=delivery.id,
            provider=delivery.provider,
            account=delivery.account,
            task_id=delivery.task_id,
            target=without_key(delivery.target, delivery.account),
            routed=without_key(delivery.routed or "", delivery.account) or None,
            attempt=len(delivery.attempts),
            status=outcome.status,
            duration=round(outcome.duration, 6),
            error=without_key(outcome.error or "", delivery.account) or None,
            state=delivery.state,
            next_attempt=delivery.next_attempt,
        )


def duration_text(seconds: float) -> str:
    """Seconds for reading: 0.4 ms, 12 ms, 1.23 s, 75 s."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"


def _submits(exchange: Exchange) -> bool:
    """Whether a request has submitted the task that it was about."""
    return exchange.task_id is not None and exchange.method == "POST" and exchange.task_id not in exchange.path


def _generation(task: Task) -> str:
    """Model, size and, if there are several, the number of pictures."""
    job = task.job
    return f"{job.model} {job.size}" + (f" ×{job.count}" if job.count > 1 else "")


def _generation_facts(task: Task | None) -> dict[str, Any]:
    if task is None:
        return {"model": None, "size": None, "count": None}
    return {"model": task.job.model, "size": task.job.size, "count": task.job.count}


def _failure_code(task: Task, providers: Mapping[str, ServedProvider]) -> str | None:
    """The error code of a task that fails, as its provider writes it."""
    return failure_refusal(providers[task.job.provider].failures, task.failure).code if task.failure else None


def _sequel(delivery: Delivery, attempt: Attempt) -> str:
    """What follows an attempt: delivered, gave up, or the wait for the next attempt."""
    if delivery.next_attempt is None:
        return delivery.state.replace("_", " ")
    return f"next in {delivery.next_attempt - attempt.time - attempt.outcome.duration:.3g} s"


def _status_colour(status: int | None) -> str:
    return {2: "32", 3: "36", 4: "33"}.get((status or 500) // 100, "31")


def _printable(text: str) -> str:
    """`text` without what would steer a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_WHAT else text[: LONGEST_WHAT - 1] + "…"


def without_key(text: str, account: str) -> str:
    """`text` without the API key whose hash is `account`: nothing else is known of it any more."""
    for piece in _PIECES:
        text = piece.sub(lambda match: REDACTED if account_id(match[0]) == account else match[0], text)
    return text
