"""Reading a command's arguments by its table of flags."""

import pytest

from mockserver.cli.arguments import Command, Flag, Misuse

COMMAND = Command(
    "serve",
    "",
    lambda values: 0,
    (
        Flag("port", "--port", "", "PORT"),
        Flag("api_keys", "--api-key", "", "KEY", repeatable=True),
        Flag("quiet", "--quiet", ""),
        Flag("help", "--help", "", short="-h"),
    ),
)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", {}),
        ("--port 1 --port=2", {"port": "2"}),
        ("--api-key a --api-key=b=c", {"api_keys": ["a", "b=c"]}),
        ("--quiet --port --quiet", {"quiet": True, "port": "--quiet"}),
        ("-h", {"help": True}),
        ("--port=", {"port": ""}),
    ],
)
def test_flags_are_read(line: str, found: dict[str, object]) -> None:
    assert COMMAND.parse(line.split()) == found


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--prot 1", "No such option: --prot (Possible options: --port)"),
        ("-x", "No such option: -x"),
        ("--xyzzy", "No such option: --xyzzy"),
        ("--port", "Option '--port' requires an argument."),
        ("--quiet=1", "Option '--quiet' does not take a value."),
        ("8080", "Got unexpected extra argument (8080)"),
        ("-", "Got unexpected extra argument (-)"),
    ],
)
def test_what_a_command_does_not_take_is_named(line: str, said: str) -> None:
    with pytest.raises(Misuse) as found:
        COMMAND.parse(line.split())
    assert str(found.value) == said
