"""The stages around every handler: journal, due events, faults on answers, error envelope, key, faults on calls.

A stage is a function of the next step and the request context; `routing.py` lists the stages in order. A stage that has
nothing left to do after the next step returns the next step's awaitable, which saves a coroutine.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from math import ceil

from aiohttp.web import Response, StreamResponse

from mockserver.engine.clock import monotonic
from mockserver.engine.problems import Kind, Problem
from mockserver.http import cors
from mockserver.http.context import RequestContext, Route, ServedProvider
from mockserver.http.json_answer import JSON, JsonAnswer
from mockserver.http.refusals import Refusal, find_refusal

Next = Callable[[RequestContext], Awaitable[StreamResponse]]
Stage = Callable[[Next, RequestContext], Awaitable[StreamResponse]]

REQUEST_ID = "x-request-id"
log = logging.getLogger("mockserver")


def chain(handler: Next, stages: tuple[Stage, ...]) -> Next:
    """The handler with the stages around it, the first outermost."""
    for stage in reversed(stages):
        handler = partial(stage, handler)
    return handler


async def journal(following: Next, context: RequestContext) -> StreamResponse:
    """Close the journal entry with the answer, and give the answer the request's id."""
    started = monotonic()
    response = await following(context)
    finish_entry(context, response, monotonic() - started)
    return response


def finish_entry(context: RequestContext, response: StreamResponse, duration: float | None = None) -> None:
    """Record an answer in the journal, and write the request's id into its headers; `duration` is in real seconds."""
    if isinstance(response, JsonAnswer):
        content_type = JSON
        response.set_header(REQUEST_ID, context.request_id)
    else:
        content_type = response.headers.get("Content-Type", "")
        response.headers[REQUEST_ID] = context.request_id
    context.engine.journal.close(context.exchange, response.status, content_type, duration)


def run_due_events(following: Next, context: RequestContext) -> Awaitable[StreamResponse]:
    """End the tasks that are due, so that every answer shows the state of this instant. Sends no callbacks."""
    context.engine.event_runner.run_due()
    return following(context)


async def faults_after(following: Next, context: RequestContext) -> StreamResponse:
    """Apply faults to an answer before it is sent, refusals included."""
    response = await following(context)
    if not context.injector.active:
        return response
    try:
        return await context.injector.after(context, response)
    except ConnectionError:  # the client has left
        raise
    except Exception as error:
        if context.request.writer.output_size > 0:  # the answer has begun: all that is left is to break it off
            raise
        if isinstance(error, Problem):
            return refusal_response(context, error)
        log.exception("internal error at %s", context.request.path)
        return crash_response(context, error)


def cross_origin(following: Next, context: RequestContext) -> Awaitable[StreamResponse]:
    """Let pages of the origins of `--cors-origin` read an answer, and pages of any origin a picture."""
    picture = context.route is not None and not context.route.keyed  # a picture, or a redirect to one
    if not picture and not context.mount.cors_origins:
        return following(context)
    return _with_cors(following, context, picture)


async def _with_cors(following: Next, context: RequestContext, picture: bool) -> StreamResponse:
    allowed = cors.allowed_origin(context.request.headers, ("*",) if picture else context.mount.cors_origins)
    if allowed and cors.is_preflight(context.request):
        return Response(status=204, headers=cors.preflight_headers(context.request.headers, allowed))
    response = await following(context)
    for name, value in cors.answer_headers(allowed).items():
        if isinstance(response, JsonAnswer):
            response.set_header(name, value)
        else:
            response.headers[name] = value
    return response


async def envelope(following: Next, context: RequestContext) -> StreamResponse:
    """Turn every Problem and every crash into an answer in the provider's own error shape."""
    try:
        return await following(context)
    except Problem as problem:
        if context.route is not None and context.route.billable:
            await context.body.record_unread()
        try:
            return refusal_response(context, problem)
        except Exception as error:  # a kind that the provider's table lacks, or an envelope that fails
            log.exception("internal error at %s", context.request.path)
            return crash_response(context, error)
    except Exception as error:
        log.exception("internal error at %s", context.request.path)
        return crash_response(context, error)


def crash_response(context: RequestContext, error: Exception) -> JsonAnswer:
    """The answer to a defect of this server, as the provider would write it; the defect is put on record."""
    where = f"{context.request.method} {context.request.path}"
    context.engine.defects.add(where, error, context.account)
    return refusal_response(context, Problem(Kind.INTERNAL))


def refusal_response(context: RequestContext, problem: Problem) -> JsonAnswer:
    """The answer to a problem, as the provider would write it."""
    refusal = refusal_of(context.provider, context.route, problem)
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(max(1, ceil(problem.retry_after)))
    context.exchange.error = refusal.code
    body = context.provider.envelope(refusal, problem, context.trace_id or context.request_id)
    return context.answer(body, refusal.status, headers)


def refusal_of(provider: ServedProvider, route: Route | None, problem: Problem) -> Refusal:
    """The documented error of a problem at a route of a provider."""
    table = {**provider.refusals, **route.refusals} if route and route.refusals else provider.refusals
    return find_refusal(table, provider.failures, problem)


def authenticate(following: Next, context: RequestContext) -> Awaitable[StreamResponse]:
    """Refuse a call without a valid key, where one is needed. Raises Problem(UNAUTHENTICATED)."""
    assert context.route is not None
    if context.route.keyed and not context.key:
        raise Problem(Kind.UNAUTHENTICATED)
    return following(context)


def faults_before(following: Next, context: RequestContext) -> Awaitable[StreamResponse]:
    """Apply the key's trigger, the rate limit and the fault rules to a call before its handler."""
    context.injector.admit(context)
    return _after_faults(following, context) if context.injector.active else following(context)


async def _after_faults(following: Next, context: RequestContext) -> StreamResponse:
    await context.injector.before(context)
    return await following(context)
