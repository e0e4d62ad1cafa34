"""Assertions: the message of a failed one lists the calls, charges or callbacks that there were."""

from collections.abc import Iterable
from decimal import Decimal

from mockserver.client import operations as ops
from mockserver.client import waiting
from mockserver.client.models import Advice, Callback, Request
from mockserver.client.money import Account
from mockserver.client.operations import Amount
from mockserver.client.protocol import ControlCall, MockError, Operation, hide_misuse
from mockserver.client.scope import Scope

__tracebackhide__ = hide_misuse
SHOWN = 20


def spent(scope: Scope, provider: str, amount: Amount, everyone: bool) -> Operation[Decimal]:
    """Assert what was charged at a provider: captured, not only held."""
    accounts = yield from ops.accounts(scope, provider, everyone)
    captured, expected = sum((account.captured for account in accounts), Decimal(0)), Decimal(str(amount))
    if captured == expected:
        return captured
    unit = accounts[0].currency if accounts else (yield from ops.account(provider, scope.key_for(provider))).currency
    lines = [f"spent {captured:f} {unit} at {provider}, not {expected:f}"]
    if held := sum((account.held for account in accounts), Decimal(0)):
        lines.append(f"  {held:f} {unit} more are held for tasks that have not ended")
    lines += yield from _usage(scope, provider, accounts)
    lines += yield from _calls(scope, provider, everyone)
    raise AssertionError("\n".join(lines))


def _usage(scope: Scope, provider: str, accounts: list[Account]) -> Operation[list[str]]:
    lines = ["  charged were:"]
    for account in accounts:
        full = yield from ops.account(provider, account.id)
        lines += [f"    {line.amount:f} for {line.model}, task {line.task_id}" for line in full.usage[:SHOWN]]
    return lines if len(lines) > 1 else ["  nothing was charged"]


def requested(
    scope: Scope,
    provider: str | None,
    times: int | None,
    model: str | None,
    prompt: str | None,
    path: str | None,
    status: int | None,
    everyone: bool,
) -> Operation[list[Request]]:
    """Assert that pictures were requested, refused calls included; with `path`, that it was called."""
    found = yield from ops.requests(
        scope, provider, model=model, prompt=prompt, path=path, status=status, everyone=everyone
    )
    found = [request for request in found if path is not None or request.generates]
    if found if times is None else len(found) == times:
        return found
    asked = {"model": model, "prompt": prompt, "path": path, "status": status}
    said = ", ".join(f"{name}={value!r}" for name, value in asked.items() if value is not None)
    wanted = "at least one request" if times is None else f"{times} request{'' if times == 1 else 's'}"
    lines = [f"expected {wanted} to {provider or 'any provider'}{f' with {said}' if said else ''}, found {len(found)}"]
    lines += yield from _calls(scope, None, everyone)
    raise AssertionError("\n".join(lines))


def _calls(scope: Scope, provider: str | None, everyone: bool) -> Operation[list[str]]:
    """The calls that there were, and those with another key: a client with a wrong key is the usual cause."""
    own = yield from ops.requests(scope, provider, everyone=everyone)
    lines = ["  the calls were:" if own else "  there were no calls", *map(_line, own[-SHOWN:])]
    if len(own) > SHOWN:
        lines[0] = f"  the last {SHOWN} of {len(own)} calls were:"
    if scope.own_only and not everyone:
        known = {request.id for request in own}
        others = yield from ops.requests(scope, provider, everyone=True)
        others = [request for request in others if request.id not in known]
        if others:
            lines += [f"  and with another key than {scope.api_key}, or none:", *map(_line, others[-SHOWN:])]
    return lines


def _line(request: Request) -> str:
    what = [f"{request.provider} {request.method} {request.documented_path}"]
    what += [str(part) for part in (request.model, request.prompt and repr(request.prompt[:60])) if part]
    outcome = str(request.status or "unanswered") + (f" {request.error}" if request.error else "")
    return f"    {' '.join(what)} → {outcome}"


def delivered(scope: Scope, task_id: str | None, timeout: float) -> Operation[list[Callback]]:
    """Assert that a task's callback arrives within `timeout` real seconds; without a task, every requested one."""
    if task_id is None:
        tasks = yield from ops.tasks(scope, None, None, None, False)
        task_ids = [task.id for task in tasks if task.callback_url is not None]
        if not task_ids:
            calls = yield from _calls(scope, None, False)
            raise AssertionError("\n".join(["no task asked for a callback", *calls]))
    else:
        task_ids = [task_id]
    arrived = []
    for wanted in task_ids:
        try:
            arrived.append((yield from waiting.wait_delivered(wanted, timeout)))
        except waiting.NotDelivered as error:
            raise AssertionError(error.message) from None
        except MockError as error:
            if error.status != 404:
                raise
            lines = yield from _tasks(scope)
            raise AssertionError("\n".join([f"there is no task {wanted!r:.100}", *lines])) from None
    return arrived


def well_behaved(scope: Scope, ignore: Iterable[str], everyone: bool) -> Operation[None]:
    """Assert that there is no advice but that of the rules in `ignore`. Raises ValueError for an unknown rule."""
    answer = yield ControlCall("GET", "advice", scope.filter(everyone))
    ignored = frozenset((ignore,) if isinstance(ignore, str) else ignore)
    if unknown := sorted(ignored - answer["rules"].keys()):
        raise ValueError(f"{unknown[0]!r:.60} is no rule of advice; there are {', '.join(answer['rules'])}")
    found = [one for one in map(Advice.read, answer["advice"]) if one.rule not in ignored]
    if found:
        lines = ["the client does what would hurt in production:"]
        raise AssertionError("\n".join([*lines, *(f"  {line}" for one in found for line in str(one).splitlines())]))


def _tasks(scope: Scope) -> Operation[list[str]]:
    tasks = yield from ops.tasks(scope, None, None, None, False)
    if not tasks:
        return ["  there are no tasks", *(yield from _calls(scope, None, False))]
    first = "  the tasks are:" if len(tasks) <= SHOWN else f"  the last {SHOWN} of {len(tasks)} tasks are:"
    return [first, *(f"    {task.id} {task.provider} {task.model}, {task.status}" for task in tasks[-SHOWN:])]
