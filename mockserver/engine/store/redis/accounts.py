"""Accounts: the verbs for requests and money."""

from collections.abc import Callable

from mockserver.engine.ledger import Account, AccountChange, Usage
from mockserver.engine.problems import Kind, Problem
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.generations import refuse_short
from mockserver.engine.store.redis.numbers import Numbers
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.redis.setting import Setting
from mockserver.engine.store.shared import LARGEST_AMOUNT, TOO_LARGE, need_amounts
from mockserver.engine.tasks import Job

COUNT_REQUEST, CHECK_MONEY, ADMIT = script("count_request"), script("check_money"), script("admit")
CHANGE_ACCOUNT, ACCOUNT, USAGE = script("change_account"), script("account"), script("usage")


class Accounts:
    """The verbs of `Store` for accounts. `ids_may_repeat` is told whether a request's id may be that of another one."""

    def __init__(
        self, database: Database, setting: Setting, numbers: Numbers, ids_may_repeat: Callable[[bool], None]
    ) -> None:
        self._database = database
        self._run = database.run
        self._setting = setting
        self._numbers = numbers
        self._ids_may_repeat = ids_may_repeat

    async def count_request(self, provider: str, account: str) -> int:
        setting = self._setting
        fresh = setting.fresh(provider, account) if account else ""
        count, submissions, version, due, dropped = await self._run(
            COUNT_REQUEST, provider, account, fresh, setting.bounds.accounts
        )
        setting.heard_of_end(due)
        self._ids_may_repeat(bool(dropped))
        if account:
            self._numbers.learn(f"{provider}/{account}", int(submissions))
        if int(version) != self._database.copy.current.version:
            await self._database.refresh()
        return int(count)

    async def account(self, provider: str, account: str) -> Account:
        fields = await self._run(ACCOUNT, f"{provider}/{account}")
        row = layout.row_of(f"{provider}/{account}", fields) if fields else self._setting.new_row(provider, account)
        return row.value()

    async def usage(self, provider: str, account: str) -> tuple[Usage, ...]:
        return tuple([layout.usage_of(value) for value in await self._run(USAGE, f"{provider}/{account}")])

    async def check_money(self, job: Job, now: float) -> None:
        setting = self._setting
        fresh, month = setting.fresh(job.provider, job.account), layout.month_of(now)
        answer = await self._run(
            CHECK_MONEY, f"{job.provider}/{job.account}", fresh, setting.bounds.accounts, job.cost, month
        )
        if isinstance(answer, list):
            refuse_short(job, answer, now)

    async def admit(self, provider: str, account: str, now: float) -> None:
        answer = await self._run(ADMIT, f"{provider}/{account}", repr(now))
        if isinstance(answer, list):
            oldest, seconds = answer
            window = layout.number(seconds)
            raise Problem(Kind.RATE_LIMITED, retry_after=layout.number(oldest) + window - now if oldest else window)

    async def change_account(self, provider: str, account: str, change: AccountChange, now: float) -> Account:
        limit = change.rate_limit
        need_amounts(change.balance, change.quota)
        fields = await self._run(
            CHANGE_ACCOUNT,
            f"{provider}/{account}",
            self._setting.fresh(provider, account),
            self._setting.bounds.accounts,
            "" if change.balance is None else change.balance,
            int(change.sets_quota),
            "" if change.quota is None else change.quota,
            layout.month_of(now),
            int(change.sets_rate_limit),
            "" if limit is None else limit.requests,
            "" if limit is None else repr(limit.seconds),
            LARGEST_AMOUNT,
        )
        if not fields:
            raise Problem(Kind.INVALID_PARAMETER, TOO_LARGE)
        return layout.row_of(f"{provider}/{account}", fields).value()
