"""What is left in the file when its process was killed in the middle of writing."""

import asyncio
from pathlib import Path

import pytest

from engine.store.processes import member, other
from engine.world import T0
from mockserver.engine.ledger import AccountChange
from mockserver.engine.store import EVERYTHING, Wanted
from mockserver.engine.store.sqlite import SqliteStore

pytestmark = pytest.mark.asyncio


KINDS = ("submitted", "settled")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def test_what_was_answered_before_a_kill_is_there_and_the_money_adds_up(path: Path) -> None:
    async with member(path) as store:
        for number in range(3):
            await store.change_account("studio", f"acct_{number}", AccountChange(balance=10**9), T0)
    said: list[str] = []
    for life in range(3):
        async with other("write", path, str(life)) as writing:
            said.append(await writing.says())
            await asyncio.sleep(0.05 * life)
            said += await writing.kill()
    answered = {kind: {line.removeprefix(kind + " ") for line in said if line.startswith(kind)} for kind in KINDS}
    async with member(path) as store:
        tasks = {task.id for task in (await store.tasks(Wanted(), EVERYTHING))[0]}
        assert answered["submitted"] <= tasks
        assert len(answered["submitted"]) > 3
        for name in answered["settled"]:
            assert not await store.is_open(name)
            if int(name.split()[1]) % 4 == 3:
                assert await store.delivery_of(name)
        await _money_adds_up(store)


async def _money_adds_up(store: SqliteStore) -> None:
    tasks, _ = await store.tasks(Wanted(), EVERYTHING)
    for account in (await store.accounts(Wanted(), EVERYTHING))[0]:
        mine = [task for task in tasks if task.job.account == account.id]
        held = sum([task.job.cost for task in mine if await store.is_open(task.id)])
        charged = sum(usage.amount for usage in await store.usage("studio", account.id)) + account.usage_dropped
        assert (account.held, account.captured, account.submissions) == (held, charged, len(mine))
        assert account.opening == account.balance + account.held + account.captured
    counts = await store.pending()
    assert counts.tasks == len([task for task in tasks if await store.is_open(task.id)])
