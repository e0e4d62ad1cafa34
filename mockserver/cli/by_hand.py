"""The control surface by hand: one command for each thing, on a server that runs."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from mockserver.cli.checks import address
from mockserver.client.mock_client import MockClient
from mockserver.client.protocol import ControlCall, MockError, Operation
from mockserver.engine.text import write_json

URL_ENV = "MOCKSERVER_URL"
DEFAULT_URL = "http://127.0.0.1:8080"


_TEXTS = ("provider", "path", "method", "model", "prompt", "task_id", "api_key", "code")
"""What of a fault rule is text, even if it looks like a number."""


class Failed(Exception):
    """The server refused a call or does not answer: one line that says why."""


def url_of(values: Mapping[str, Any]) -> str:
    """The server's address: by flag, by variable, or the default. Raises ValueError."""
    return address(values.get("url") or os.environ.get(URL_ENV) or DEFAULT_URL)


def with_client(values: Mapping[str, Any], call: Callable[[MockClient, list[str]], Any]) -> None:
    """Make a call, and print its text, or its record as JSON. Raises Failed, and ValueError for misuse."""
    with MockClient(url_of(values), control_token=values.get("control_token")) as mock:
        try:
            result = call(mock, values.get("operands", []))
        except MockError as error:
            raise Failed(error.message) from None
    print(result if isinstance(result, str) else write_json(result).decode())


def health(mock: MockClient, operands: Sequence[str]) -> str:
    """Succeeds if the server answers."""
    found = mock.health()
    pending = found["pending"]
    return (
        f"ok: mockserver {found['version']}, {pending['tasks']} tasks and {pending['callback_attempts']} callback "
        f"attempts pending, {found['defects']['count']} internal errors"
    )


def advance(mock: MockClient, operands: Sequence[str]) -> Any:
    (amount,) = operands
    if amount == "idle":
        return mock.clock.advance(until="idle").raw
    return mock.clock.advance(_number(amount, "SECONDS is a number of seconds, or idle")).raw


def fault(mock: MockClient, operands: Sequence[str]) -> Any:
    """List the rules, clear them, or add one."""
    name, *given = operands or ("list",)
    if name in ("list", "clear") and given:
        raise ValueError(f"fault {name} takes nothing more")
    if name == "list":
        return [rule.raw for rule in mock.faults.list(everyone=True)]
    if name == "clear":
        return f"removed {mock.faults.clear(everyone=True)}"
    return mock.faults.add(name, **_named(given)).raw


def redeliver(mock: MockClient, operands: Sequence[str]) -> Any:
    """Deliver a callback again, by its own id or its task's."""
    (name,) = operands
    found = [callback for callback in mock.callbacks.list(everyone=True) if name in (callback.id, callback.task_id)]
    if not found:
        raise Failed(f"There is no callback of {name!r:.100}; GET /_mock/callbacks lists them.")
    return mock.callbacks.redeliver(found[-1].id).raw


def balance(mock: MockClient, operands: Sequence[str]) -> str:
    """Show or set what a key has."""
    provider, key, *amount = operands
    account = mock.provider(provider).account(key)
    if amount:
        _number(amount[0], "AMOUNT is a number")
        account = account.set(balance=amount[0])
    return f"{account.balance:f} {account.currency}, held {account.held:f}, captured {account.captured:f}"


def reset(mock: MockClient, operands: Sequence[str]) -> str:
    mock.reset(*operands)
    return "reset"


def task(mock: MockClient, operands: Sequence[str]) -> Any:
    """List tasks, show one, or end one by hand."""
    if not operands:
        rows = [f"{one.id}  {one.provider}  {one.status}  {one.model}" for one in mock.tasks(everyone=True)]
        return "\n".join(rows) or "there are no tasks"
    name, *verb = operands
    if not verb:
        return mock.task(name).raw
    if verb[0] == "fail":
        return mock.fail_task(name, *verb[1:]).raw
    ways = {"complete": mock.complete_task, "cancel": mock.cancel_task}
    if verb[0] not in ways or verb[1:]:
        raise ValueError("a task is ended by complete, cancel, or fail [CODE]")
    return ways[verb[0]](name).raw


def har(mock: MockClient, operands: Sequence[str]) -> str:
    """Print the record of requests and callbacks as HAR, or write it to a file."""
    text = write_json(mock.do(_har())).decode()
    if not operands:
        return text
    try:
        with open(operands[0], "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise Failed(f"{operands[0]}: {error.strerror}") from None
    return f"written to {operands[0]}"


def _har() -> Operation[Any]:
    found = yield ControlCall("GET", "requests.har")
    return found


def _number(text: str, wanted: str) -> float:
    try:
        return float(Decimal(text))
    except InvalidOperation:
        raise ValueError(f"{wanted}, not {text!r:.40}") from None


def _named(words: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE pairs; a value that is a number is one."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier() or name in ("type", "everyone", "optional"):
            raise ValueError(f"{word!r:.60} is not NAME=VALUE, as in status=503 or provider=evolink")
        if name in _TEXTS:
            found[name] = value
            continue
        try:
            found[name] = int(value) if value.lstrip("-").isdigit() else float(Decimal(value))
        except InvalidOperation:
            found[name] = value
    return found


def warn(sentence: str) -> None:
    """Tell a person something that is no part of the output."""
    print(f"mockserver: {sentence}", file=sys.stderr)
