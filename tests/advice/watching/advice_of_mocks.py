"""A pytest plugin for a run of the contract suite: keeps the advice of every mock that it starts, at the mock's end."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from contract_tests import mock

_started = mock.started


@contextmanager
def started(*arguments: Any, **options: Any) -> Iterator[str]:
    with _started(*arguments, **options) as root:
        yield root
        found = httpx.get(f"{root}/_mock/advice").raise_for_status().json()["advice"]
        with Path(os.environ["ADVICE_FILE"]).open("a") as kept:
            kept.writelines(f"{json.dumps(advice)}\n" for advice in found)


mock.started = started
