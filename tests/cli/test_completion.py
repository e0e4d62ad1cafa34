"""The completion scripts, in the shells themselves. zsh and fish are tested where they are installed."""

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from mockserver.cli import main
from mockserver.cli.commands import COMMANDS
from mockserver.cli.completion import SHELLS
from support.processes import heed_signals

CASES = {
    "mockserver red": "mockserver redeliver",
    "mockserver --ver": "mockserver --version",
    "mockserver env --shell p": "mockserver env --shell powershell",
    "mockserver serve --clock v": "mockserver serve --clock virtual",
    "mockserver serve --latency=q": "mockserver serve --latency=quick",
    "mockserver serve --port 1 --scenario out": "mockserver serve --port 1 --scenario out-of-credit",
    "mockserver serve --scenario mi": "mockserver serve --scenario mine.toml",
    "mockserver env --provider x": "mockserver env --provider xhuoapi",
    "mockserver openapi c": "mockserver openapi control",
    "mockserver fault task_st": "mockserver fault task_stuck",
    "mockserver fault status provider=x": "mockserver fault status provider=xhuoapi",
    "mockserver fault status times=1 retry": "mockserver fault status times=1 retry_after=",
    "mockserver task some-id ca": "mockserver task some-id cancel",
    "mockserver task --url http://127.0.0.1:1 some-id com": "mockserver task --url http://127.0.0.1:1 some-id complete",
    "mockserver task some-id fail generation_": "mockserver task some-id fail generation_timeout",
    "mockserver balance i": "mockserver balance icodeeasy",
    "mockserver har mi": "mockserver har mine.toml",
    "mockserver exec --clock virtual -- mkfi": "mockserver exec --clock virtual -- mkfifo",
    "mockserver exec -- cat mi": "mockserver exec -- cat mine.toml",
    "mockserver completion f": "mockserver completion fish",
}
"""What is typed, and what it is after a TAB: each has one answer."""

NOTHING = ("mockserver advance x", "mockserver balance evolink k", "mockserver tail m", "mockserver nothing p")
"""What nothing fits."""


def needed(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    return path


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with the scripts and one more file."""
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        (tmp_path / f"script.{shell}").write_text(capsys.readouterr().out)
    (tmp_path / "mine.toml").touch()
    return tmp_path


def typed(shell: str, start: str, lines: list[str], home: Path) -> list[str]:
    """Each line after a TAB in a real interactive shell: at its two ends it is made a command that writes it down."""
    master, terminal = pty.openpty()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb", "PS1": "$ "}
    process = subprocess.Popen(
        [needed(shell), *start.split()],
        cwd=home,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=heed_signals,
    )
    os.close(terminal)
    script = f". ./script.{shell}\r" + "".join(f"{line}\t\x01echo \x05 >> typed\r" for line in lines) + "exit\r"
    try:
        os.write(master, script.encode())
        while os.read(master, 65536):  # so that the shell never waits for its screen
            pass
    except OSError:  # Linux: the other side is closed
        pass
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return [line.rstrip() for line in (home / "typed").read_text().splitlines()]


@pytest.mark.parametrize(("shell", "start"), [("bash", "--norc --noprofile -i"), ("zsh", "-f -i")])
def test_a_tab_completes_in_a_terminal(shell: str, start: str, home: Path) -> None:
    found = typed(shell, start, [*CASES, *NOTHING], home)
    assert found == [*CASES.values(), *NOTHING]


def test_fish_offers_one_candidate(home: Path) -> None:
    asked = [*CASES, *NOTHING]
    script = "source script.fish\n" + "".join(f"complete -C '{line}'\necho end\n" for line in asked)
    done = subprocess.run(
        [needed("fish"), "--no-config", "-c", script],
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stderr == ""
    words = [[line.split("\t")[0] for line in part.splitlines()] for part in done.stdout.split("end\n")][:-1]
    assert words == [[text.split()[-1]] for text in CASES.values()] + [[]] * len(NOTHING)


def offered(line: str, home: Path) -> list[str]:
    """What bash offers at the end of a line."""
    script = 'source script.bash; COMP_LINE=$1 COMP_POINT=${#1}; _mockserver; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", line], cwd=home, capture_output=True, text=True, timeout=10)
    assert done.stderr == ""
    return done.stdout.split()


def test_every_command_and_flag_is_offered(home: Path) -> None:
    assert offered("mockserver ", home) == [*(command.name for command in COMMANDS), "--version", "--help"]
    for command in COMMANDS:
        assert offered(f"mockserver {command.name} -", home) == [flag.flag for flag in command.flags]


def test_the_parameters_are_those_of_the_fault(home: Path) -> None:
    assert [word for word in offered("mockserver fault task_slow ", home) if "provider" not in word][:2] == [
        "factor=",
        "seconds=",
    ]
    assert "status=" not in offered("mockserver fault task_slow ", home)
    assert {"list", "clear", "disconnect"} <= set(offered("mockserver fault ", home))


def test_no_flag_takes_a_value_in_one_command_alone() -> None:
    """The script for fish keeps one list of the flags that do."""
    takes: dict[str, set[bool]] = {}
    for flag in (flag for command in COMMANDS for flag in command.flags):
        takes.setdefault(flag.flag, set()).add(flag.metavar is not None)
    assert [name for name, found in takes.items() if len(found) > 1] == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_valid(shell: str, home: Path) -> None:
    done = subprocess.run(
        [needed(shell), "-n", f"script.{shell}"], cwd=home, capture_output=True, text=True, timeout=10
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_shell_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "'tcsh' is not one of bash, zsh, fish" in capsys.readouterr().err
    assert main(["completion"]) == 2
    assert "Usage: mockserver completion bash|zsh|fish" in capsys.readouterr().err
