"""The code blocks of a Markdown page, with the remarks that say how they are to be run."""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"(?P<remarks>(?:^[ ]*<!--(?:(?!-->)[\s\S])*-->[ ]*\n+)*)"
    r"^(?P<indent>[ ]*)```(?P<language>\w*)[ ]*\n(?P<code>[\s\S]*?)^[ ]*```[ ]*$",
    re.MULTILINE,
)
_REMARK = re.compile(r"<!-- *(not run|server): *([\s\S]*?) *-->")


@dataclass(frozen=True)
class Block:
    """A fenced block. `not_run` is the reason why it is not run; `server` are settings of a new server for it and those
    that follow."""

    page: str
    line: int
    language: str
    code: str
    not_run: str | None
    server: str | None

    @property
    def is_test(self) -> bool:
        return (
            self.language == "python" and re.search(r"^ *(async )?def test_|^class Test", self.code, re.M) is not None
        )

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(path: Path, root: Path) -> list[Block]:
    """Every block of a page. A remark `<!-- not run: why -->` or `<!-- server: clock=virtual -->` stands before one."""
    text = path.read_text()
    found = []
    for match in _FENCE.finditer(text):
        remarks = dict(_REMARK.findall(match["remarks"]))
        line = text.count("\n", 0, match.end("remarks")) + 1
        indent = match["indent"]
        code = "".join(part.removeprefix(indent) for part in match["code"].splitlines(keepends=True))
        page = str(path.relative_to(root))
        found.append(Block(page, line, match["language"], code, remarks.get("not run"), remarks.get("server")))
    assert 2 * len(found) == len(re.findall(r"^ *```", text, re.M)), f"{path}: a fence is not closed"
    return found
