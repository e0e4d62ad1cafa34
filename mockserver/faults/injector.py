"""Applies faults to calls, jobs, answers and callbacks: key endings, directives in prompts, rules, rate limits."""

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp.web import StreamResponse

from mockserver.engine.callbacks import NO_DELIVERY_FAULT, DeliveryFault
from mockserver.engine.engine import Engine
from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.engine.problems import Kind
from mockserver.engine.tasks import Job, Task
from mockserver.faults.rules import FaultRules, Subject
from mockserver.faults.triggers import directives, key_trigger
from mockserver.http.context import RequestContext


@fast_dataclass
class FaultInjector:
    """Applies the rules, key endings and directives, at the four stages of a call."""

    rules: FaultRules
    engine: Engine

    def is_active(self) -> bool:
        """Whether there is any rule."""
        return bool(self.engine.store.steering.rules())

    def admit(self, context: RequestContext) -> Awaitable[None]:
        """Before the handler of a billable call: apply the fault that the key's ending names, and the rate limit.

        The ending for an exhausted balance is applied in `asked`, since the balance is checked last.

        Raises:
            Problem: the refusal of the ending, or RATE_LIMITED.
        """
        trigger = key_trigger(context.key)
        if trigger is not None and trigger.kind is not Kind.OUT_OF_BALANCE:
            raise trigger
        return self.engine.store.admit(context.exchange.provider, context.account, self.engine.now())

    async def before(self, context: RequestContext) -> None:
        """Before a handler, after `admit`: apply the rules of the stage `before`."""
        subject = await self._identified(context)
        for rule in self.rules.of_stage("before"):
            if await self.rules.meets(rule, subject, self.engine.entropy):
                await rule.fault.before(context)

    def asked(self, context: RequestContext, job: Job) -> Job:
        """A job with the directives of its prompt applied.

        Raises:
            Problem: the refusal that a directive or the key's ending asks for.
        """
        asked = directives(job.prompt)
        if asked.answer is not None:
            raise asked.answer
        trigger = key_trigger(context.key)
        if trigger is not None:
            raise trigger
        return job.with_outcome(asked.failure, asked.delay)

    async def accept(self, context: RequestContext, job: Job) -> Job:
        """The job to accept, which can be paid for: with the rules of the stage `task` applied."""
        await self.engine.check_money(job)
        subject = replace(await _subject(context), model=job.model, prompt=job.prompt)
        for rule in self.rules.of_stage("task"):
            if await self.rules.meets(rule, subject, self.engine.entropy):
                job = rule.fault.plan(job)
        return job

    async def after(self, context: RequestContext, response: StreamResponse) -> StreamResponse:
        """The answer to send, refusals included: changed by the rules of the stage `after`."""
        subject = await _subject(context, context.matched_model, context.matched_prompt)
        for rule in self.rules.of_stage("after"):
            if rule.fault.acts_on(context, response) and await self.rules.meets(rule, subject, self.engine.entropy):
                response = await rule.fault.after(context, response)
        return response

    async def delivery_fault(self, task: Task) -> DeliveryFault:
        """The fault of a task's callback; of several rules that match at once, the first."""
        job = task.job
        subject = Subject(job.provider, job.account, model=job.model, prompt=job.prompt, task_id=task.id)
        for rule in self.rules.of_stage("callback"):
            if await self.rules.meets(rule, subject, self.engine.entropy):
                return rule.fault.delivery_fault()
        return NO_DELIVERY_FAULT

    async def _identified(self, context: RequestContext) -> Subject:
        """The subject that rules match before the handler; the body is read if a rule needs it."""
        assert context.route is not None
        if self.rules.needs_body():
            if context.route.billable:
                context.matched_model, context.matched_prompt = await _model_and_prompt(context)
            if context.route.task_of is not None:
                context.matched_task = await context.route.task_of(context, await context.body.json())
        return await _subject(context, context.matched_model, context.matched_prompt)


async def _subject(context: RequestContext, model: str = "", prompt: str = "") -> Subject:
    """The subject that rules match; a call about a task has the task's model, prompt and account."""
    named = context.params.get("task_id", context.matched_task)
    task = await context.engine.find(context.provider.name, named) if named else None
    account = context.account
    if task is not None:
        model, prompt, account = task.job.model, task.job.prompt, account or task.job.account
    path = context.request.path.removeprefix(f"/{context.provider.name}")
    picture = context.route is not None and context.route.picture
    task_id = task.id if task else ""
    return Subject(context.provider.name, account, path, context.request.method, model, prompt, task_id, picture)


async def _model_and_prompt(context: RequestContext) -> tuple[str, str]:
    if context.body.is_form:
        fields: Mapping[str, Any] = (await context.body.form()).fields
    else:
        fields = await context.body.json()
    default = context.route.default_model if context.route else ""
    model, prompt = fields.get("model", default), fields.get("prompt")
    return model if isinstance(model, str) else "", prompt if isinstance(prompt, str) else ""
