"""The commands that steer a running server by hand: their flags and operands."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from mockserver.cli.arguments import Command, Flag

_FLAGS = (
    Flag("url", "--url", "The server's address.", "URL", "MOCKSERVER_URL · default http://127.0.0.1:8080"),
    Flag("control_token", "--control-token", "Its --control-token.", "TOKEN", "MOCKSERVER_CONTROL_TOKEN"),
    Flag("help", "--help", "Show this message and exit.", short="-h"),
)


def _calls(name: str) -> Callable[[Mapping[str, Any]], int]:
    """A command that makes the call of that name in `by_hand`."""

    def run(values: Mapping[str, Any]) -> int:
        from mockserver.cli import by_hand

        try:
            by_hand.with_client(values, getattr(by_hand, name))
        except by_hand.Failed as error:
            by_hand.warn(str(error))
            return 1
        return 0

    return run


def _tail(values: Mapping[str, Any]) -> int:
    import os

    from mockserver.cli.by_hand import Failed, warn
    from mockserver.cli.output import wants_colour
    from mockserver.cli.tail import follow

    try:
        for line in follow(values, wants_colour(sys.stdout, os.environ)):
            print(line, flush=True)
    except Failed as error:
        warn(str(error))
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        sys.stdout = None  # nobody reads it: at its end Python would flush it
    return 0


def _command(
    name: str, operands: str, least: int, most: int, meaning: str, more: str = "", places: tuple[str, ...] = ()
) -> Command:
    description = f"{meaning}\n\n{more}" if more else ""
    run = _tail if name == "tail" else _calls(name)
    return Command(name, meaning, run, _FLAGS, description, operands=operands, least=least, most=most, places=places)


BY_HAND = (
    _command("health", "", 0, 0, "Exit with 0 if the server answers, else with 1: for a container's check."),
    _command("tail", "", 0, 0, "Follow a running server: a line for each request, task and callback, until Ctrl-C."),
    _command(
        "advance", "SECONDS|idle", 1, 1, "Advance the clock, and print the events that ran.", places=("SECONDS|idle",)
    ),
    _command(
        "fault",
        "[list | clear | TYPE NAME=VALUE…]",
        0,
        20,
        "List the fault rules, remove them, or add one.",
        "As in: mockserver fault status provider=evolink status=503 times=2\n"
        "The types and their parameters are at /_mock/fault-kinds.",
        ("list|clear|TYPE", "NAME=VALUE…"),
    ),
    _command(
        "task",
        "[ID [complete | cancel | fail [CODE]]]",
        0,
        3,
        "List the tasks, show one, or end one by hand.",
        places=("ID", "complete|cancel|fail", "CODE"),
    ),
    _command("redeliver", "ID", 1, 1, "Deliver a callback again, by its id or its task's."),
    _command(
        "balance", "PROVIDER KEY [AMOUNT]", 2, 3, "Show the balance of an API key, or set it.", places=("PROVIDER",)
    ),
    _command("reset", "[KEY]", 0, 1, "Forget everything, or one key's state."),
    _command(
        "har",
        "[FILE]",
        0,
        1,
        "Print the record of requests and callbacks as HAR 1.2, or write it to a file.",
        places=("FILE",),
    ),
)
