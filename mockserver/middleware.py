"""What goes around every handler, in this order: journal, settle, the provider's envelope, key, faults.

Each stage is a function of the call and of what comes next; `routing.py` lists them. One that has nothing to do once
the next has begun hands the next's awaitable on, so that it costs a call and no coroutine.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from math import ceil

from aiohttp.web import StreamResponse

from mockserver.call import Call
from mockserver.engine.clock import monotonic
from mockserver.engine.problems import Kind, Problem

Next = Callable[[Call], Awaitable[StreamResponse]]
Stage = Callable[[Next, Call], Awaitable[StreamResponse]]

log = logging.getLogger("mockserver")


def chain(handler: Next, stages: tuple[Stage, ...]) -> Next:
    """The handler with the stages around it, the first outermost."""
    for stage in reversed(stages):
        handler = partial(stage, handler)
    return handler


async def journal(following: Next, call: Call) -> StreamResponse:
    """Put the exchange on record, and give the answer the request's id."""
    started = monotonic()
    exchange = call.exchange
    response = await following(call)
    exchange.status = response.status
    exchange.response_type = response.headers.get("Content-Type", "")
    exchange.duration = monotonic() - started
    response.headers["x-request-id"] = call.request_id
    for observer in call.engine.observers:
        observer(exchange)
    return response


def settle(following: Next, call: Call) -> Awaitable[StreamResponse]:
    """Bring up to date what is due, so that every answer shows the state of this instant. Never callbacks."""
    call.engine.driver.settle()
    return following(call)


async def envelope(following: Next, call: Call) -> StreamResponse:
    """Let every refusal and every crash leave in the provider's own error shape."""
    try:
        return await following(call)
    except Problem as problem:
        await call.note_body()
        return refusal(call, problem)
    except Exception as error:
        where = f"{call.request.method} {call.request.path}"
        log.exception("internal error at %s", where)
        call.engine.defects.add(where, error, call.account)
        return refusal(call, Problem(Kind.INTERNAL))


def refusal(call: Call, problem: Problem) -> StreamResponse:
    """A problem as the provider would write it."""
    looks = call.provider.refuse(problem, call.route)
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(max(1, ceil(problem.retry_after)))
    call.exchange.error = looks.code
    return call.answer(call.provider.envelope(looks, problem, call.trace_id or call.request_id), looks.status, headers)


def authenticate(following: Next, call: Call) -> Awaitable[StreamResponse]:
    """Refuse a call without a valid key where one is needed."""
    assert call.route is not None
    if call.route.keyed and not call.key:
        raise Problem(Kind.UNAUTHENTICATED)
    return following(call)


def faults_before(following: Next, call: Call) -> Awaitable[StreamResponse]:
    """What goes wrong ahead of the handler."""
    call.gate.admit(call)
    return _after_faults(following, call) if call.gate.armed else following(call)


async def _after_faults(following: Next, call: Call) -> StreamResponse:
    await call.gate.before(call)
    return await following(call)


async def faults_after(following: Next, call: Call) -> StreamResponse:
    """What goes wrong with an answer on its way out, be it a refusal."""
    response = await following(call)
    return await call.gate.after(call, response) if call.gate.armed else response
