"""`mockserver contract`: the contract suite, from a checkout or from an installed wheel, where it travels along."""

import importlib.util
import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
PLAIN = ("-p", "no:cacheprovider")
NEEDED = ("pytest", "hypothesis", "httpx", "dirty_equals")


def suite() -> Path:
    """The suite's folder: inside the package in a wheel, beside it in a checkout. Raises ValueError if in neither."""
    for folder in (PACKAGE / "contract" / "contract_tests", PACKAGE.parent / "contract_tests"):
        if (folder / "conftest.py").exists():
            return folder
    raise ValueError("the contract suite is not part of this installation")


def run(arguments: list[str]) -> int:
    """Run the suite in a process of its own: `[PROVIDER ...] [OPTIONS]`, its receiver (`receiver …`), or its help.

    Options are the suite's and pytest's.

    Returns:
        The exit status of that process.

    Raises:
        ValueError: if the suite needs something that is not installed, or there is no such provider.
    """
    folder = suite()
    known = sorted(path.parent.name for path in folder.glob("*/__init__.py"))
    if {"-h", "--help"} & set(arguments) and arguments[0] != "receiver":
        return _run(folder, ["-m", f"{folder.name}.usage", *known])
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"the suite needs {', '.join(missing)}: pip install 'image-api-mockserver[contract]'")
    if arguments[:1] == ["receiver"]:
        return _run(folder, ["-m", f"{folder.name}.receiver", *arguments[1:]])
    names = list(takewhile(lambda word: not word.startswith("-"), arguments))
    return _run(folder, ["-m", "pytest", *_tests(folder, known, names), *PLAIN, *arguments[len(names) :]])


def _tests(folder: Path, known: list[str], names: list[str]) -> list[str]:
    """What pytest is to collect: the folders of providers, tests by their paths, or all. Raises ValueError."""
    for name in names:
        if name not in known and not Path(name.partition("::")[0]).exists():
            raise ValueError(f"there is no provider {name!r:.60}; there are {', '.join(known)}")
    return [str(folder / name) if name in known else name for name in names] or [str(folder)]


def _run(folder: Path, command: list[str]) -> int:
    path = os.pathsep.join(filter(None, (str(folder.parent), os.environ.get("PYTHONPATH"))))
    done = subprocess.run([sys.executable, *command], env={**os.environ, "PYTHONPATH": path}, check=False)
    return done.returncode
