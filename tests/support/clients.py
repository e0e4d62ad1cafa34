"""Programs of tests/intercept/programs: unmodified clients of the documented addresses."""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "intercept" / "programs"
CACHE = ROOT / ".cache" / "clients"
NODE_MODULES = CACHE / "node" / "node_modules"
OPENAI_2 = CACHE / "openai-2"

LONG = pytest.mark.skipif(not os.environ.get("MOCKSERVER_TEST_ALL"), reason="long: scripts/test --all runs it")


@dataclass(frozen=True)
class Client:
    """A program, and the error that it prints.

    Args:
        command: the program's file and its arguments.
        error: the client's own exception for xhuoapi's 403 `used_up`, or what else it makes of that.
        package: a folder of Node's or Python's packages that it needs beside those of this project.
        heeds_proxy: whether it goes by the proxy variables.
    """

    command: tuple[str, ...]
    error: str
    package: Path | None = None
    heeds_proxy: bool = True

    @property
    def interpreter(self) -> str | None:
        suffix = Path(self.command[0]).suffix
        found = {".py": sys.executable, ".sh": shutil.which("sh") if shutil.which("curl") else None}
        return found.get(suffix, shutil.which("node"))

    def arguments(self) -> list[str]:
        """The whole command line; the test is skipped where the client is not installed."""
        if self.interpreter is None:
            pytest.skip(f"what runs {self.command[0]} is not installed here")
        if self.package is not None and not self.package.is_dir():
            pytest.skip(f"{self.command[0]} needs {self.package.name}: scripts/test installs it")
        return [self.interpreter, str(PROGRAMS / self.command[0]), *self.command[1:]]

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """This process's environment with some variables, and with the client's own packages."""
        found = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        found.update(variables)
        if self.package is not None and self.command[0].endswith(".py"):
            found["PYTHONPATH"] = os.pathsep.join(filter(None, (found.get("PYTHONPATH"), str(self.package))))
        elif self.package is not None:
            found["NODE_PATH"] = str(self.package.parent)
        return found


CLIENTS = {
    "requests": Client(("via_requests.py",), "HTTPError"),
    "httpx": Client(("via_httpx.py", "trusting"), "HTTPStatusError"),
    "httpx trust_env=False": Client(("via_httpx.py",), "HTTPStatusError", heeds_proxy=False),
    "aiohttp": Client(("via_aiohttp.py",), "ClientResponseError", heeds_proxy=False),
    "aiohttp trust_env=True": Client(("via_aiohttp.py", "trusting"), "ClientResponseError"),
    "aiohttp on uvloop": Client(("via_aiohttp.py", "uvloop"), "ClientResponseError", heeds_proxy=False),
    "urllib3": Client(("via_urllib3.py",), "403 used_up", heeds_proxy=False),
    "urllib": Client(("via_urllib.py",), "HTTPError"),
    "openai": Client(("via_openai.py",), "PermissionDeniedError"),
    "openai 2": Client(("via_openai.py",), "PermissionDeniedError", OPENAI_2),
    "curl": Client(("via_curl.sh",), "22"),
    "Node fetch": Client(("via_fetch.mjs",), "403 used_up", heeds_proxy=False),
    "Node https": Client(("via_https.mjs",), "403 used_up", heeds_proxy=False),
    "axios": Client(("via_axios.cjs",), "AxiosError", NODE_MODULES / "axios"),
    "undici": Client(("via_undici.cjs",), "403 used_up", NODE_MODULES / "undici", heeds_proxy=False),
    "openai for Node": Client(("via_openai.cjs",), "PermissionDeniedError", NODE_MODULES / "openai", heeds_proxy=False),
}
HOOKED = {name for name, client in CLIENTS.items() if not client.command[0].endswith(".sh")}
"""Those that a hook leads; the others have the proxy alone."""


def run(client: Client, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a client to its end."""
    return subprocess.run(
        client.arguments(),
        env=client.environment(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def assert_served(client: Client, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """A generation, its picture decoded, and the error as the client shows it; what else the program said."""
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["url"].startswith("https://platform.cdn.xhuoapi.ai/gpt-image/")
    picture = Image.open(BytesIO(b64decode(said["picture"])))
    picture.load()
    assert (picture.format, picture.size) == ("PNG", (1254, 1254))
    assert said["error"] == client.error
    return said
