"""Reads scenario files again when they change."""

import os
from collections.abc import Callable
from importlib.util import find_spec

from mockserver.engine.problems import StoreUnavailable
from mockserver.scenarios.in_force import ScenariosInForce


def check_installed() -> None:
    """Raises ValueError if watchfiles, the extra [watch], is missing."""
    if find_spec("watchfiles") is None:
        raise ValueError("--watch needs pip install 'image-api-mockserver[watch]'")


async def watch(scenarios: ScenariosInForce, report: Callable[[str], None], *, leads: bool = True) -> None:
    """Watch the files until this is cancelled; `report` gets one line for each change.

    Of several processes, the one that `leads` changes what is in the store. A change that can't be used is reported,
    and what was in force stays. Folders are watched, since an editor puts a new file in place of the old one.
    """
    from watchfiles import awatch

    files = scenarios.files
    folders = {os.path.dirname(name) for name in files}
    async for _ in awatch(*folders, recursive=False, watch_filter=lambda _, path: path in files):
        try:
            await scenarios.reload(leads=leads)
        except StoreUnavailable as problem:
            report(f"The scenarios could not be put in force: {problem.detail}. Change a file to try again.")
        except ValueError as error:
            report(f"{error} The scenarios before this change stay in force.")
        else:
            report(f"scenarios read again: {', '.join(scenarios.names)}")
