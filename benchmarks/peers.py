"""Other mock servers and frameworks: how to install each, configure one fixed answer, and start it.

Each is installed into a folder of its own in the temporary directory, which is kept from run to run.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.candidates import SUBMISSION, post
from benchmarks.processes import ROOT, Broken
from benchmarks.rounds import Candidate

HOME = Path(tempfile.gettempdir()) / "mockserver-bench-peers"
LONGEST_INSTALL = 90.0
ASKED = post(SUBMISSION, model="gpt-image-1")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Peer:
    """One other server. `packages` are on npm or PyPI; `files` makes its configuration from its answer and its port."""

    name: str
    kind: str
    packages: Sequence[str]
    command: Callable[[Path, int], Sequence[str]]
    files: Callable[[Any, int], Mapping[str, Any]] = lambda answer, port: {}

    @property
    def folder(self) -> Path:
        return HOME / f"{self.kind}-{self.packages[0].replace('/', '-').strip('@')}"

    def install(self) -> None:
        """Install the packages, unless they are. Raises Broken if that fails."""
        marker = self.folder / ".installed"
        if marker.exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for command in _installing(self):
            try:
                subprocess.run(command, cwd=self.folder, capture_output=True, timeout=LONGEST_INSTALL, check=True)
            except subprocess.TimeoutExpired:
                raise Broken(f"not installed within {LONGEST_INSTALL:g} s") from None
            except (OSError, subprocess.CalledProcessError) as error:
                said = (getattr(error, "stderr", b"") or str(error).encode()).decode("utf-8", "replace").strip()
                raise Broken(f"not installable here: {said.splitlines()[-1][:100] if said else error}") from None
        marker.touch()

    def candidate(self, answer: Any) -> Candidate:
        """This server with an answer, as a candidate; its configuration is written when its port is known."""

        def command(port: int) -> Sequence[str]:
            for name, content in self.files(answer, port).items():
                (self.folder / name).write_text(json.dumps(content))
            return self.command(self.folder, port)

        env = {"PYTHONPATH": str(ROOT), "NO_UPDATE_NOTIFIER": "1"}
        return Candidate(self.name, command, ASKED, cwd=self.folder, env=env)


def _installing(peer: Peer) -> list[list[str]]:
    if peer.kind == "npm":
        if not shutil.which("npm"):
            raise Broken("not installable here: there is no npm")
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        return [["npm", "install", *quiet, "--prefix", ".", *(f"{package}@latest" for package in peer.packages)]]
    pip = [".venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    return [[sys.executable, "-m", "venv", ".venv"], [*pip, *peer.packages]]


def _bin(name: str, *arguments: str) -> Callable[[Path, int], Sequence[str]]:
    """An npm package's command; `PORT` stands for the port."""

    def command(folder: Path, port: int) -> Sequence[str]:
        given = [str(port) if argument == "PORT" else argument for argument in arguments]
        return ["node", str(folder / "node_modules" / ".bin" / name), *given]

    return command


def _python(stand: str) -> Callable[[Path, int], Sequence[str]]:
    return lambda folder, port: [str(folder / ".venv/bin/python"), str(ROOT / "benchmarks/servers" / stand), str(port)]


def _aimock(answer: Any, port: int) -> Mapping[str, Any]:
    told = {"match": {"endpoint": "image"}, "response": {"image": {"url": f"http://127.0.0.1:{port}/{'x' * 200}.png"}}}
    return {"fixtures.json": {"fixtures": [told]}}


def _openapi(answer: Any, port: int) -> Mapping[str, Any]:
    asked = {"type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string"}}}
    answered = {"description": "a task", "content": {JSON: {"schema": {"type": "object"}, "example": answer}}}
    operation = {"requestBody": {"content": {JSON: {"schema": asked}}}, "responses": {"200": answered}}
    document = {"openapi": "3.0.3", "info": {"title": "images", "version": "1"}}
    return {"openapi.json": {**document, "paths": {SUBMISSION: {"post": operation}}}}


def _imposter(answer: Any, port: int) -> Mapping[str, Any]:
    predicate = {"equals": {"method": "POST", "path": SUBMISSION}}
    response = {"is": {"statusCode": 200, "headers": {"Content-Type": JSON}, "body": answer}}
    stub = {"predicates": [predicate], "responses": [response]}
    return {"imposters.json": {"imposters": [{"port": port, "protocol": "http", "stubs": [stub]}]}}


def _mountebank(folder: Path, port: int) -> Sequence[str]:
    quiet = ["--nologfile", "--loglevel", "error", "--localOnly", "--noParse"]
    own = ["--port", str(port % 50_000 + 10_000)]  # mountebank's own, which nobody asks here
    return ["node", str(folder / "node_modules/.bin/mb"), "start", *own, "--configfile", "imposters.json", *quiet]


def _environment(answer: Any, port: int) -> Mapping[str, Any]:
    response = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "body": json.dumps(answer),
        "statusCode": 200,
        "headers": [{"key": "Content-Type", "value": JSON}],
        "bodyType": "INLINE",
        "default": True,
        "rules": [],
    }
    route = {
        "uuid": "00000000-0000-4000-8000-000000000002",
        "type": "http",
        "method": "post",
        "endpoint": SUBMISSION.lstrip("/"),
        "responses": [response],
    }
    child = {"type": "route", "uuid": route["uuid"]}
    own = {"uuid": "00000000-0000-4000-8000-000000000001", "name": "images", "lastMigration": 33}
    return {"environment.json": {**own, "port": port, "routes": [route], "rootChildren": [child]}}


PEERS = (
    Peer(
        "@copilotkit/aimock, image route",
        "npm",
        ["@copilotkit/aimock"],
        _bin("llmock", "--port", "PORT", "--fixtures", "fixtures.json", "--log-level", "silent"),
        _aimock,
    ),
    Peer("FastAPI (uvicorn[standard])", "pip", ["fastapi", "uvicorn[standard]"], _python("fastapi_app.py")),
    Peer("mountebank", "npm", ["mountebank"], _mountebank, _imposter),
    Peer(
        "Prism",
        "npm",
        ["@stoplight/prism-cli"],
        _bin("prism", "mock", "-p", "PORT", "-v", "error", "openapi.json"),
        _openapi,
    ),
    Peer("pytest-httpserver", "pip", ["pytest-httpserver"], _python("httpserver_app.py")),
    Peer(
        "Mockoon",
        "npm",
        ["@mockoon/cli"],
        _bin(
            "mockoon-cli",
            "start",
            "--data",
            "environment.json",
            "--port",
            "PORT",
            "-X",
            "--repair",
            "--disable-admin-api",
        ),
        _environment,
    ),
)
