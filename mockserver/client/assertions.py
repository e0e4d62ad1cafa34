"""Assertions that explain themselves: each shows what did happen."""

from decimal import Decimal

from mockserver.client import operations as ops
from mockserver.client import waiting
from mockserver.client.models import Callback, Request
from mockserver.client.money import Account
from mockserver.client.operations import Amount, Owner
from mockserver.client.protocol import Operation

SHOWN = 20


def spent(owner: Owner, provider: str, amount: Amount, everyone: bool) -> Operation[Decimal]:
    """What was charged at a provider: captured, not merely held."""
    __tracebackhide__ = True
    accounts = yield from ops.accounts(owner, provider, everyone)
    captured, expected = sum((account.captured for account in accounts), Decimal(0)), Decimal(str(amount))
    if captured == expected:
        return captured
    unit = accounts[0].currency if accounts else (yield from ops.account(provider, owner.api_key)).currency
    lines = [f"spent {captured:f} {unit} at {provider}, not {expected:f}"]
    if held := sum((account.held for account in accounts), Decimal(0)):
        lines.append(f"  {held:f} {unit} more are held for tasks that have not ended")
    lines += yield from _usage(owner, provider, accounts)
    lines += yield from _calls(owner, provider, everyone)
    raise AssertionError("\n".join(lines))


def _usage(owner: Owner, provider: str, accounts: list[Account]) -> Operation[list[str]]:
    lines = ["  charged were:"]
    for account in accounts:
        full = yield from ops.account(provider, account.id)
        lines += [f"    {line.amount:f} for {line.model}, task {line.task_id}" for line in full.usage[:SHOWN]]
    return lines if len(lines) > 1 else ["  nothing was charged"]


def requested(
    owner: Owner,
    provider: str | None,
    times: int | None,
    model: str | None,
    prompt: str | None,
    path: str | None,
    status: int | None,
    everyone: bool,
) -> Operation[list[Request]]:
    """Calls that asked for pictures, refused ones included; with `path` the calls to it, whatever they are."""
    __tracebackhide__ = True
    found = yield from ops.requests(
        owner, provider, model=model, prompt=prompt, path=path, status=status, everyone=everyone
    )
    found = [request for request in found if path is not None or request.generates]
    if found if times is None else len(found) == times:
        return found
    asked = {"model": model, "prompt": prompt, "path": path, "status": status}
    said = ", ".join(f"{name}={value!r}" for name, value in asked.items() if value is not None)
    wanted = "at least one request" if times is None else f"{times} request{'' if times == 1 else 's'}"
    lines = [f"expected {wanted} to {provider or 'any provider'}{f' with {said}' if said else ''}, found {len(found)}"]
    lines += yield from _calls(owner, None, everyone)
    raise AssertionError("\n".join(lines))


def _calls(owner: Owner, provider: str | None, everyone: bool) -> Operation[list[str]]:
    """What was called, and what came from others: a client with the wrong key is the usual surprise."""
    own = yield from ops.requests(owner, provider, everyone=everyone)
    lines = ["  the calls were:" if own else "  there were no calls", *map(_line, own[-SHOWN:])]
    if len(own) > SHOWN:
        lines[0] = f"  the last {SHOWN} of {len(own)} calls were:"
    if owner.alone and not everyone:
        known = {request.id for request in own}
        others = yield from ops.requests(owner, provider, everyone=True)
        others = [request for request in others if request.id not in known]
        if others:
            lines += [f"  and with another key than {owner.api_key}, or none:", *map(_line, others[-SHOWN:])]
    return lines


def _line(request: Request) -> str:
    what = [f"{request.provider} {request.method} {ops.documented_path(request)}"]
    what += [str(part) for part in (request.model, request.prompt and repr(request.prompt[:60])) if part]
    outcome = str(request.status or "unanswered") + (f" {request.error}" if request.error else "")
    return f"    {' '.join(what)} → {outcome}"


def delivered(owner: Owner, task_id: str | None, timeout: float) -> Operation[list[Callback]]:
    """That a task's callback arrives within `timeout` real seconds; without a task, every callback asked for."""
    __tracebackhide__ = True
    if task_id is None:
        tasks = yield from ops.tasks(owner, None, None, None, False)
        names = [task.id for task in tasks if task.callback_url is not None]
        if not names:
            calls = yield from _calls(owner, None, False)
            raise AssertionError("\n".join(["no task asked for a callback", *calls]))
    else:
        names = [task_id]
    arrived = []
    for name in names:
        try:
            arrived.append((yield from waiting.wait_delivered(name, timeout)))
        except waiting.NotDelivered as error:
            raise AssertionError(error.message) from None
    return arrived
