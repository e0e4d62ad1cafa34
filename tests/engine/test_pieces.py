"""Walking over records in pieces."""

import asyncio

from mockserver.engine.pieces import in_pieces


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
