"""`mockserver contract`: the contract suite, from a checkout or from an installed wheel, where it travels along."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
NEEDED = ("pytest", "hypothesis", "httpx", "dirty_equals")


def suite() -> Path:
    """The suite's folder: inside the package in a wheel, beside it in a checkout. Raises ValueError if in neither."""
    for folder in (PACKAGE / "contract" / "contract_tests", PACKAGE.parent / "contract_tests"):
        if (folder / "conftest.py").exists():
            return folder
    raise ValueError("the contract suite is not part of this installation")


def run(arguments: list[str]) -> int:
    """Run the suite with pytest's arguments, or its receiver (`receiver` and its own), in a process of its own.

    Returns:
        The exit status of that process.

    Raises:
        ValueError: if what the suite needs is not installed.
    """
    folder = suite()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"the suite needs {', '.join(missing)}: pip install 'image-api-mockserver[contract]'")
    if arguments[:1] == ["receiver"]:
        command = ["-m", f"{folder.name}.receiver", *arguments[1:]]
    else:
        command = ["-m", "pytest", str(folder), "-p", "no:cacheprovider", *arguments]
    path = os.pathsep.join(filter(None, (str(folder.parent), os.environ.get("PYTHONPATH"))))
    done = subprocess.run([sys.executable, *command], env={**os.environ, "PYTHONPATH": path}, check=False)
    return done.returncode
