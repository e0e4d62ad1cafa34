"""Every complete Python and curl snippet of the vendors' documents runs as it stands under `mockserver exec`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.calls import IMAGES

ROOT = Path(__file__).parents[2]
DOCUMENTS = Path(os.environ.get("MOCKSERVER_DOCUMENTS", ROOT.parent / "shared" / "documents"))
ELIDED = "..."
"""A snippet with this in it leaves something out: it is no complete one."""

RUNNER = """
import json, subprocess, sys
for line in open(sys.argv[1]):
    done = subprocess.run(json.loads(line), capture_output=True, text=True)
    print(json.dumps([done.returncode, done.stdout, done.stderr]), flush=True)
"""


def python_snippets(text: str) -> list[str]:
    """From the import of requests to the line that prints its answer."""
    return re.findall(r"^import requests$.*?^print\(response\.text\)$", text, re.M | re.S)


def curl_snippets(text: str) -> list[str]:
    """Each curl command, with the lines that its backslashes and quotes go on for."""
    found: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        if not line.startswith("curl "):
            continue
        command = line
        while command.endswith("\\") or command.count("'") % 2 or command.count('"') % 2:
            command += "\n" + next(lines)
        found.append(command)
    return found


def filled(snippet: str) -> str:
    """With the placeholders of a token and of a file filled."""
    snippet = re.sub(r"\{token\}|<token>", "my-key", snippet)
    return snippet.replace("/path/to/photo.png", str(IMAGES / "reference.png"))


def commands() -> list[list[str]]:
    found = []
    for document in sorted(DOCUMENTS.glob("*.txt")):
        text = document.read_text("utf-8")
        found += [[sys.executable, "-c", filled(snippet)] for snippet in python_snippets(text)]
        found += [["sh", "-c", filled(snippet)] for snippet in curl_snippets(text) if ELIDED not in snippet]
    return found


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason=f"the vendors' documents are not at {DOCUMENTS}")
def test_every_snippet_runs_as_it_stands(tmp_path: Path) -> None:
    asked = commands()
    assert len([command for command in asked if command[0] == sys.executable]) == 16
    assert len([command for command in asked if command[0] == "sh"]) == 6
    (tmp_path / "runner.py").write_text(RUNNER)
    (tmp_path / "snippets").write_text("".join(json.dumps(command) + "\n" for command in asked))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mockserver", "exec", "--latency", "instant", "--"),
            *(sys.executable, str(tmp_path / "runner.py"), str(tmp_path / "snippets")),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for command, line in zip(asked, done.stdout.splitlines(), strict=True):
        status, out, said = json.loads(line)
        assert status == 0, f"{command}\n{said}"
        answer: Any = json.loads(out)
        assert "error" not in answer, f"{command}\n{out}"
        assert "data" in answer or "task_id" in answer or answer["object"] == "image.generation.task"
    assert f"{len(asked)} calls, {len(asked)} generations" in done.stderr


def test_the_scan_finds_whole_snippets() -> None:
    text = """curl -X POST https://a \\
  -d '{
    "x": 1
  }'
more text
import requests

print(response.text)
"""
    assert curl_snippets(text) == ["""curl -X POST https://a \\\n  -d '{\n    "x": 1\n  }'"""]
    assert python_snippets(text) == ["import requests\n\nprint(response.text)"]
