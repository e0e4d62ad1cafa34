"""Where calls, jobs, answers and callbacks meet what goes wrong: a key's ending, directives, rules, rate limits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp.web import StreamResponse

from mockserver.call import Call
from mockserver.engine.callbacks import UNDISTURBED, Disturbance
from mockserver.engine.engine import Engine
from mockserver.engine.problems import Kind
from mockserver.engine.tasks import Job, Task
from mockserver.faults.book import Book, Subject
from mockserver.faults.triggers import directives, key_trigger


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules in force (`book`) and the in-band triggers, at the four places where they act."""

    book: Book
    engine: Engine

    @property
    def armed(self) -> bool:
        """Whether any rule is in force."""
        return bool(self.book.rules)

    def admit(self, call: Call) -> None:
        """Ahead of a handler: what the key asks for by its ending, and the rate limit.

        A key's balance is looked at last, in `accept`.
        """
        assert call.route is not None
        if call.route.billable:
            trigger = key_trigger(call.key)
            if trigger is not None and trigger.kind is not Kind.OUT_OF_BALANCE:
                raise trigger
            account = self.engine.accounts.get(call.provider.name, call.account)
            if account.rate_limit is not None:
                account.admit(self.engine.now())

    async def before(self, call: Call) -> None:
        """Ahead of a handler, after `admit`: the rules."""
        subject = await self._identified(call)
        for fault in self.book.fire("before", subject, self.engine.entropy):
            await fault.before(call)

    def accept(self, call: Call, job: Job) -> Job:
        """A job on its way into the engine, as what its prompt asks for and the rules make it.

        Raises:
            Problem: the refusal that a directive or the key's ending asks for.
        """
        asked = directives(job.prompt)
        if asked.answer is not None:
            raise asked.answer
        trigger = key_trigger(call.key)
        if trigger is not None:
            raise trigger
        job = job.directed(asked.failure, asked.delay)
        if self.book.rules:
            self.engine.check_money(job)
            subject = replace(_subject(call), model=job.model, prompt=job.prompt)
            for fault in self.book.fire("task", subject, self.engine.entropy):
                job = fault.plan(job)
        return job

    async def after(self, call: Call, response: StreamResponse) -> StreamResponse:
        """An answer on its way out, be it a refusal."""
        subject = _subject(call, call.model_seen, call.prompt_seen)
        for fault in self.book.fire("after", subject, self.engine.entropy):
            response = await fault.after(call, response)
        return response

    def disturb(self, task: Task) -> Disturbance:
        """What befalls a task's callback; of several rules that hold at once, the first."""
        job = task.job
        subject = Subject(job.provider, job.account, model=job.model, prompt=job.prompt, task_id=task.id)
        fired = next(self.book.fire("callback", subject, self.engine.entropy), None)
        return fired.disturb() if fired else UNDISTURBED

    async def _identified(self, call: Call) -> Subject:
        """The call as a rule sees it ahead of the handler; its body is read if a rule asks for it."""
        assert call.route is not None
        if self.book.needs_body():
            if call.route.billable:
                call.model_seen, call.prompt_seen = await _model_and_prompt(call)
            if call.route.names_task is not None:
                call.task_seen = call.route.names_task(call, await call.json())
        return _subject(call, call.model_seen, call.prompt_seen)


def _subject(call: Call, model: str = "", prompt: str = "") -> Subject:
    """The call as a rule sees it; one about a task has its model, its prompt and its owner."""
    task = call.engine.find(call.provider.name, call.params.get("task_id", call.task_seen))
    account = call.account
    if task is not None:
        model, prompt, account = task.job.model, task.job.prompt, account or task.job.account
    path = call.request.path.removeprefix(f"/{call.provider.name}")
    picture = call.route is not None and call.route.picture
    task_id = task.id if task else ""
    return Subject(call.provider.name, account, path, call.request.method, model, prompt, task_id, picture)


async def _model_and_prompt(call: Call) -> tuple[str, str]:
    if call.is_form:
        fields: Mapping[str, Any] = (await call.form()).fields
    else:
        fields = await call.json()
    default = call.route.default_model if call.route else ""
    model, prompt = fields.get("model", default), fields.get("prompt")
    return model if isinstance(model, str) else "", prompt if isinstance(prompt, str) else ""
