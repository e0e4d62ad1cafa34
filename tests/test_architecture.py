"""The ways that docs/architecture.md draws name files and functions that exist, in the order in which they stand."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_LINE = re.compile(r"^(?P<file>[a-z_/]+\.py)? +(?P<names>[A-Za-z_.]+(?:, [A-Za-z_]+)*)  +\S")


def steps() -> list[tuple[str, str]]:
    """(file, function) of each line of the drawn ways."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    found, file = [], ""
    for line in page.partition("## A request's way")[2].partition("## Decisions")[0].splitlines():
        if match := _LINE.match(line):
            file = match["file"] or file
            found += [(file, name) for name in match["names"].split(", ")]
    return found


def test_the_three_ways_are_drawn() -> None:
    assert len(steps()) >= 25


@pytest.mark.parametrize(("file", "name"), steps())
def test_what_a_way_names_is_there(file: str, name: str) -> None:
    text = (ROOT / "mockserver" / file).read_text()
    for part in name.split("."):
        assert re.search(rf"^ *(async )?(def|class) {part}\b", text, re.MULTILINE), f"{file} has no {part}"
