"""Finds the providers that installed packages offer, by their entry points in the group `mockserver.providers`.

`importlib.metadata` takes 30 ms to import, so it is imported only when a file `entry_points.txt` names the group.
"""

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "mockserver.providers"


def installed_providers() -> "tuple[EntryPoint, ...]":
    """The entry points of the group, by name."""
    return _entry_points(tuple(sys.path))


@lru_cache(maxsize=8)
def _entry_points(path: tuple[str, ...]) -> "tuple[EntryPoint, ...]":
    if not any(map(_names_group, path)):
        return ()
    from importlib.metadata import entry_points

    return tuple(sorted(entry_points(group=GROUP), key=lambda entry: entry.name))


def _names_group(folder: str) -> bool:
    """Whether the metadata of a package in a folder of `sys.path` names the group; a zip file counts as if it did."""
    try:
        with os.scandir(folder or ".") as entries:
            packages = [entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
    except NotADirectoryError:
        return True
    except OSError:
        return False
    return any(_mentions(os.path.join(package, "entry_points.txt"), GROUP.encode()) for package in packages)


def _mentions(file: str, text: bytes) -> bool:
    try:
        with open(file, "rb") as opened:
            return text in opened.read()
    except OSError:
        return False


def distribution_of(entry: "EntryPoint") -> str:
    """The name and version of the package that an entry point belongs to."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
