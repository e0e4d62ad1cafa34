"""Rows of the list of requests are written once, and never shown for anything else."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from control.steer import advance, ask, later, until
from mockserver.control import written_rows
from mockserver.control.written_rows import LARGEST_KEPT, WrittenRows
from mockserver.engine.journal import Exchange
from support.calls import Caller
from support.scene import Scene

ANSWERED = Exchange("r1", 1.0, "evolink", "acct_1", "GET", "/evolink/v1/tasks/x", {}, status=200)


class Written(list[str]):
    """Writes a row of some length, and remembers of what."""

    def __init__(self, length: int = 100) -> None:
        self.length = length

    def __call__(self, exchange: Exchange) -> bytes:
        self.append(exchange.id)
        return b"x" * self.length


def test_a_row_is_written_once() -> None:
    rows, written = WrittenRows(), Written()
    assert rows.row(ANSWERED, written) == rows.row(ANSWERED, written) == b"x" * 100
    assert written == ["r1"]


@pytest.mark.parametrize(
    ("again", "length"),
    [(replace(ANSWERED), 100), (replace(ANSWERED, status=None), 100), (ANSWERED, LARGEST_KEPT + 1)],
    ids=["another record of this id", "not answered yet", "too large"],
)
def test_what_is_written_each_time(again: Exchange, length: int) -> None:
    rows, written = WrittenRows(), Written(length)
    for exchange in (ANSWERED, again, again if again.status is None else replace(again)):
        rows.row(exchange, written)
    assert written == ["r1"] * 3


def test_so_many_rows_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_rows, "ROWS_KEPT", 3)
    rows, written = WrittenRows(), Written()
    entries = [replace(ANSWERED, id=f"r{number}") for number in range(5)]
    for entry in (*entries, *entries[2:], *entries[:2]):
        rows.row(entry, written)
    assert written == ["r0", "r1", "r2", "r3", "r4", "r0", "r1"]


def test_the_list_shows_an_answer_as_soon_as_there_is_one(slow: Scene) -> None:
    with later(Caller(slow, "xhuoapi", "sk_key").generate) as answer:
        until(lambda: slow.mock("tasks")["tasks"])
        assert [row["status"] for row in slow.mock("requests")["requests"]] == [None]
        advance(slow, 20)
        assert answer.result().status_code == 200
    for _ in range(2):
        listed = slow.mock("requests")["requests"]
        assert [row["status"] for row in listed] == [200]
        assert listed == [slow.mock(f"requests/{row['id']}") for row in listed]


def test_after_a_reset_an_id_means_another_request(serve: Callable[..., Scene]) -> None:
    scene = serve(seed="the same ids")
    seen = []
    for prompt in ("first", "second"):
        Caller(scene, "evolink", "sk_key").generate(prompt=prompt)
        (row,) = scene.mock("requests")["requests"]
        seen.append((row["id"], row["body"]["prompt"]))
        ask(scene, "POST", "reset")
    assert seen[0][0] == seen[1][0]
    assert [prompt for _, prompt in seen] == ["first", "second"]
