"""Everything around a handler: `answer` shows all steps of a request to a provider in one function."""

import logging
from collections.abc import Awaitable, Collection
from math import ceil

from aiohttp.web import Response, StreamResponse

from mockserver.engine.clock import monotonic
from mockserver.engine.problems import Kind, Problem
from mockserver.http import cors
from mockserver.http.context import Handler, RequestContext, Route, ServedProvider
from mockserver.http.json_answer import JSON, JsonAnswer
from mockserver.http.refusals import Refusal, find_refusal

REQUEST_ID = "x-request-id"
log = logging.getLogger("mockserver")


async def answer(context: RequestContext, handler: Handler) -> StreamResponse:
    """Answer a request to a provider, whose journal entry has been opened; close the entry.

    Tasks that are due end first, so that every answer shows the state of this instant; callbacks are not sent here.
    Every refusal and every crash becomes an answer in the provider's own error shape. Faults act before the handler,
    and on the answer, a refusal included.
    """
    context.exchange.started = started = monotonic()
    event_runner = context.engine.event_runner
    route, injector = context.route, context.injector
    readers = _cross_origin_readers(context)
    response: StreamResponse
    try:
        if event_runner.may_be_due():
            await event_runner.run_due()
        if readers and (preflight := _answer_to_preflight(context, readers)) is not None:
            response = preflight
        else:
            if route is not None:
                if route.keyed and not context.key:
                    raise Problem(Kind.UNAUTHENTICATED)
                if route.billable:
                    await injector.admit(context)
                if injector.is_active():
                    await injector.before(context)
            response = await handler(context)
    except Problem as problem:
        response = await _refused(context, problem)
    except Exception as error:  # noqa: BLE001  # crash_response logs and records it
        response = crash_response(context, error)
    if readers:
        allowed = cors.allowed_origin(context.request.headers, readers)
        for name, value in cors.answer_headers(allowed).items():
            _set_header(response, name, value)
    if injector.is_active():
        response = await _with_faults(context, response)
    await finish_entry(context, response, monotonic() - started)
    return response


def finish_entry(context: RequestContext, response: StreamResponse, duration: float | None = None) -> Awaitable[None]:
    """Write the request's id into an answer's headers, and record the answer in the journal when this is awaited.

    `duration` is in real seconds.
    """
    _set_header(response, REQUEST_ID, context.request_id)
    content_type = JSON if isinstance(response, JsonAnswer) else response.headers.get("Content-Type", "")
    return context.engine.journal.close(context.exchange, response.status, content_type, duration)


def _set_header(response: StreamResponse, name: str, value: str) -> None:
    if isinstance(response, JsonAnswer):
        response.set_header(name, value)
    else:
        response.headers[name] = value


def _cross_origin_readers(context: RequestContext) -> Collection[str]:
    """The origins whose pages may read an answer: those of `--cors-origin`; any for a picture or a redirect to one."""
    picture = context.route is not None and not context.route.keyed
    return ("*",) if picture else context.mount.cors_origins


def _answer_to_preflight(context: RequestContext, readers: Collection[str]) -> Response | None:
    """The answer to a CORS preflight; None for any other request."""
    if not cors.is_preflight(context.request):
        return None
    allowed = cors.allowed_origin(context.request.headers, readers)
    return Response(status=204, headers=cors.preflight_headers(context.request.headers, allowed)) if allowed else None


async def _with_faults(context: RequestContext, response: StreamResponse) -> StreamResponse:
    """Apply faults to an answer before it is sent, refusals included."""
    try:
        return await context.injector.after(context, response)
    except ConnectionError:  # the client has disconnected
        raise
    except Exception as error:  # crash_response logs and records it
        if context.request.writer.output_size > 0:  # the answer has begun: no other one can be sent
            raise
        return refusal_response(context, error) if isinstance(error, Problem) else crash_response(context, error)


async def _refused(context: RequestContext, problem: Problem) -> JsonAnswer:
    """Record the body of a refused request, and answer with the provider's error."""
    if context.route is not None and context.route.billable:
        await context.body.record_unread()
    try:
        return refusal_response(context, problem)
    except Exception as error:  # noqa: BLE001  # an incomplete table or a failing envelope; crash_response logs it
        return crash_response(context, error)


def crash_response(context: RequestContext, error: Exception) -> JsonAnswer:
    """Record and log an internal error of this server, and answer with the provider's own error for it."""
    log.error("internal error at %s", context.request.path, exc_info=error)
    where = f"{context.request.method} {context.request.path}"
    context.engine.defects.add(where, error, context.account)
    return refusal_response(context, Problem(Kind.INTERNAL))


def refusal_response(context: RequestContext, problem: Problem) -> JsonAnswer:
    """The answer to a problem, in the provider's error shape."""
    refusal = refusal_of(context.provider, context.route, problem)
    headers = {}
    if problem.retry_after is not None:
        context.exchange.retry_after = max(1, ceil(problem.retry_after))
        headers["Retry-After"] = str(context.exchange.retry_after)
    context.exchange.error = refusal.code
    body = context.provider.envelope(refusal, problem, context.trace_id or context.request_id)
    return context.answer(body, refusal.status, headers)


def refusal_of(provider: ServedProvider, route: Route | None, problem: Problem) -> Refusal:
    """The documented error of a problem at a route of a provider."""
    table = {**provider.refusals, **route.refusals} if route and route.refusals else provider.refusals
    return find_refusal(table, provider.failures, problem)
