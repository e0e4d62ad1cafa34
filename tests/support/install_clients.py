"""Install the clients that tests/intercept runs and that this project does not need itself, into .cache/clients, once.

What can't be installed is said, and its tests are skipped.
"""

import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "clients"
NODE_PACKAGES = ("axios@1", "undici@6", "openai@6")
OPENAI_2 = "openai>=2,<3"


def install(folder: str, what: str, *command: str) -> None:
    """Run an installer in a folder of the cache, unless it has done that before."""
    where = CACHE / folder
    note = where / ".installed"
    if note.is_file() and note.read_text() == what:
        return
    installer = shutil.which(command[0])
    if installer is None:
        print(f"install_clients: no {command[0]} here: the tests of {what} are skipped", file=sys.stderr)
        return
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    if folder == "node":
        (where / "package.json").write_text('{"private": true}')
    done = subprocess.run([installer, *command[1:]], cwd=where, check=False, timeout=300)
    if done.returncode:
        shutil.rmtree(where)
        print(f"install_clients: {what} can't be installed: its tests are skipped", file=sys.stderr)
    else:
        note.write_text(what)


if __name__ == "__main__":
    npm = ("npm", "install", "--silent", "--no-audit", "--no-fund", *NODE_PACKAGES)
    install("node", " ".join(NODE_PACKAGES), *npm)
    pip = (sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--target", ".", OPENAI_2)
    install("openai-2", OPENAI_2, *pip)
