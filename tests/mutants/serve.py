"""`python -m mutants.serve MUTANT serve --port 0 …`: the command `mockserver …` with a mutant in it.

Internal errors are written to the file that MUTANT_CRASHES names: a mutant must be wrong, but not crash.
"""

import os
import sys
from traceback import format_exception_only

from mutants import patching
from mutants.table import find

CRASHES = "MUTANT_CRASHES"


def main(arguments: list[str]) -> int:
    """Serve until told to end; the exit status."""
    patching.install(find(arguments[0]).patches)
    _note_crashes(os.environ.get(CRASHES, os.devnull))
    from mockserver.cli import main as serve

    sys.argv = ["mockserver", *arguments[1:]]
    return int(serve() or 0)


def _note_crashes(path: str) -> None:
    from mockserver.engine.defect_log import DefectLog

    add = DefectLog.add

    def note(self: DefectLog, where: str, error: BaseException, account: str = "") -> None:
        add(self, where, error, account)
        with open(path, "a", encoding="utf-8") as page:
            page.write(f"{where}: {''.join(format_exception_only(error)).strip()}\n")

    DefectLog.add = note  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
