"""Walking over records in pieces, and freeing them."""

import asyncio
from collections import deque

import pytest

from mockserver.engine import pieces
from mockserver.engine.pieces import Container, free_in_pieces, in_pieces


def test_every_record_comes_once_and_others_run_in_between() -> None:
    turns: list[str] = []

    async def other() -> None:
        while len(turns) < 5:
            turns.append("other")
            await asyncio.sleep(0)

    async def walk() -> list[int]:
        beside = asyncio.create_task(other())
        found: list[int] = []
        async for piece in in_pieces(range(5), 2):
            found += piece
            turns.append(f"{len(piece)}")
        await beside
        return found

    assert asyncio.run(walk()) == [0, 1, 2, 3, 4]
    assert turns == ["2", "other", "2", "other", "1"]


def test_no_records_are_no_piece() -> None:
    none: tuple[object, ...] = ()

    async def walk() -> list[object]:
        return [piece async for piece in in_pieces(none, 10)]

    assert asyncio.run(walk()) == []


def test_containers_are_emptied_a_piece_in_each_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_FREED_AT_ONCE", 4)
    containers: list[Container] = [dict.fromkeys(range(3)), [1, 2, 3], {}, deque([1, 2, 3])]

    async def left() -> list[int]:
        free_in_pieces(containers)
        seen = []
        for _ in range(5):
            seen.append(sum(map(len, containers)))
            await asyncio.sleep(0)
        return seen

    assert asyncio.run(left()) == [9, 5, 1, 0, 0]


def test_without_a_loop_or_without_records_nothing_is_to_be_done() -> None:
    containers: list[Container] = [[1, 2, 3]]
    free_in_pieces(containers)
    assert containers == [[1, 2, 3]]

    async def empty() -> None:
        free_in_pieces([{}, []])
        await asyncio.sleep(0)

    asyncio.run(empty(), debug=True)
