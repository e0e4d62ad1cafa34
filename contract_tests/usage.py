"""The suite's own options, and the page that `mockserver contract --help` prints. Needs nothing but Python."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--target": {
        "action": "append",
        "default": [],
        "metavar": "PROVIDER=URL",
        "help": "test this address (of a mock or the real service); also "
        "PROVIDER=mock and [PROVIDER=]replay:DIR. Repeatable; the key comes from "
        "PROVIDER_API_KEY. Default: a mock of the suite's own.",
    },
    "--budget": {
        "action": "append",
        "default": [],
        "metavar": "[PROVIDER=]AMOUNT",
        "help": "the most that may be spent at each addressed provider, in its own unit (credits, CNY); repeatable",
    },
    "--over-budget": {
        "choices": ("trim", "refuse"),
        "default": "trim",
        "help": "what to do if the plan costs more: leave out tests, dear variants first (default), or run nothing",
    },
    "--require-live": {
        "action": "store_true",
        "help": "fail instead of skipping without a key, a budget or a target",
    },
    "--claim": {
        "action": "append",
        "default": [],
        "metavar": "ID",
        "help": "run the tests of this claim alone; repeatable",
    },
    "--record": {"metavar": "DIR", "help": "write redacted exchanges to this folder; --target replay:DIR runs on them"},
    "--drift": {
        "action": "store_true",
        "help": "send each call to a mock too, and report differing answers",
    },
    "--callback-base-url": {
        "metavar": "URL",
        "help": "public address of a receiver (python -m contract_tests.receiver); without it callback tests skip",
    },
    "--callback-read-url": {
        "metavar": "URL",
        "help": "where the suite reads that receiver, if not at the same address",
    },
    "--ca-bundle": {"metavar": "PEM", "help": "certificates to trust instead of the public ones"},
    "--patience": {
        "type": float,
        "default": 600,
        "metavar": "SECONDS",
        "help": "the longest wait for a generation (600)",
    },
    "--contract-json": {"metavar": "FILE", "help": "write the report per claim as JSON"},
    "--contract-markdown": {"metavar": "FILE", "help": "write the report as a Markdown page, for a CI job summary"},
}
"""Each option with its arguments for argparse and pytest."""

DESCRIPTION = """Runs the contract suite: does a mock, or a real service, do what the documents say?
Without --target it starts a mock of its own: offline, free, about 30 seconds."""

EPILOG = """Every option of pytest is taken too (-k, -x, -q, --junitxml=FILE …): `pytest --help` lists them.
`mockserver contract receiver` starts the receiver for callbacks of a real service.

  mockserver contract                       every provider, on a mock
  mockserver contract evolink icodeeasy     these alone
  mockserver contract evolink --target evolink=https://api.evolink.ai --budget 25 --drift

What it needs: pip install 'image-api-mockserver[contract]'"""


def main(providers: list[str]) -> None:
    """Print the help page."""
    parser = argparse.ArgumentParser(
        prog="mockserver contract",
        usage="mockserver contract [PROVIDER ...] [OPTIONS] [PYTEST'S OPTIONS]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("PROVIDER", nargs="*", help=f"run the tests of these alone: {', '.join(providers)}")
    for flag, facts in OPTIONS.items():
        parser.add_argument(flag, **facts)
    parser.print_help()


if __name__ == "__main__":
    main(sys.argv[1:])
