"""The Lua scripts, one for each verb, by the name of their file.

A script's first line may name parts that go before it ("-- uses: queue tables"), and a line of its own may stand for
one ("-- part: queue"). `root` goes before every script but `begin`, which makes what `root` looks for. Functions are
made anew at each run, so that the scripts which run most have only those that they need, where they need them.
"""

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from pathlib import Path
from re import sub

_FOLDER = Path(__file__).parent / "lua"


@dataclass(frozen=True, slots=True)
class Script:
    """A script as it is sent, and the SHA-1 (hex) by which the server knows it."""

    name: str
    source: bytes
    sha: bytes = field(default=b"")


@cache
def script(name: str) -> Script:
    """The script of a name, complete with its parts."""
    text = _read(name)
    first = text.partition("\n")[0]
    parts = first.removeprefix("-- uses: ").split() if first.startswith("-- uses: ") else []
    if name != "begin":
        parts.insert(0, "root")
    source = "".join([*[_part(part) for part in parts], _filled(text)]).encode()
    return Script(name, source, sha1(source, usedforsecurity=False).hexdigest().encode())


def all_scripts() -> list[Script]:
    """Every script that there is."""
    return [script(path.stem) for path in sorted(_FOLDER.glob("*.lua"))]


def _part(name: str) -> str:
    return _filled(_read(f"parts/{name}"))


def _filled(text: str) -> str:
    """A script's text with the parts in place of the lines that name them."""
    return sub(r"(?m)^ *-- part: (\w+)\n", lambda line: _part(line[1]), text)


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")
