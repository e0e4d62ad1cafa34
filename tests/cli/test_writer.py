"""The thread that writes the console's lines."""

import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from time import monotonic

import pytest

from mockserver.cli.writer import MOST_WAITING, Writer, _portions


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, end = os.pipe()
    yield reader, end
    os.close(end)


def test_lines_are_written_in_order_and_the_last_at_the_close() -> None:
    with pipe() as (reader, end):
        writer = Writer(end)
        for number in range(100):
            writer.line(f"line {number} \udcff")
        writer.close()
    with open(reader, encoding="utf-8") as file:
        assert re.findall(r"^line (\d+) \\udcff$", file.read(), re.MULTILINE) == [str(number) for number in range(100)]


def test_lines_are_seen_within_100_ms_and_written_together() -> None:
    with pipe() as (reader, end):
        writer = Writer(end)
        for burst in range(3):
            for number in range(50):
                writer.line(f"{burst} {number}")
            assert select.select([reader], [], [], 0.1)[0], f"burst {burst} was not written"
            assert os.read(reader, 65_536).decode().splitlines() == [f"{burst} {number}" for number in range(50)]
        writer.close()
    os.close(reader)


def test_a_reader_that_stalls_holds_nobody_up() -> None:
    with pipe() as (reader, end):
        writer = Writer(end)
        began = monotonic()
        for _ in range(MOST_WAITING + 3_000):
            writer.line("x" * 100)
        writer.close(0.01)
        assert monotonic() - began < 2
        os.close(reader)  # the thread, whose write waits for the reader, ends with the pipe
        writer._thread.join(5)
        assert not writer._thread.is_alive()


def test_a_full_pipe_that_does_not_block_is_written_when_it_is_read() -> None:
    with pipe() as (reader, end):
        os.set_blocking(end, False)
        writer = Writer(end)
        text = "x" * 200_000
        writer.line(text)
        found = b""
        while not found.endswith(b"\n"):
            assert select.select([reader], [], [], 5)[0]
            found += os.read(reader, 65_536)
        writer.close()
        assert found == text.encode() + b"\n"
    os.close(reader)


@pytest.mark.parametrize("missing", [True, False])
def test_a_reader_that_left_or_never_was_does_no_harm(missing: bool) -> None:
    with pipe() as (reader, end):
        os.close(reader)
        writer = Writer(None if missing else end)
        writer.line("nobody reads it")
        writer.close()
        writer.line("nor this")
        writer.close()
        assert not writer._thread.is_alive()


_HOLDER = "import fcntl, sys; fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"


def test_a_line_waits_for_its_turn_among_processes() -> None:
    with pipe() as (reader, end), TemporaryFile() as turn:
        number = turn.fileno()
        command = [sys.executable, "-c", _HOLDER, str(number)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[number]) as other:
            assert other.stdout is not None
            other.stdout.readline()
            writer = Writer(end, number)
            writer.line("mine")
            assert not select.select([reader], [], [], 0.1)[0]
            other.kill()  # the system gives the lock back
            assert select.select([reader], [], [], 5)[0]
        assert os.read(reader, 100) == b"mine\n"
        writer.close()


def test_lines_reach_a_shared_pipe_in_portions_that_stay_whole() -> None:
    lines = ["x" * 3_000, "y" * 1_000, "z" * 9_000, "end"]
    portions = list(_portions(lines))
    assert b"".join(portions).decode().splitlines() == lines
    assert [len(portion) for portion in portions] == [4_002, 9_001, 4]
