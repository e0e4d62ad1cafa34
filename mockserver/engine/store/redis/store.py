"""The store on a Redis or Valkey server: `Store`, put together from its parts."""

from collections.abc import Mapping

from mockserver.engine.clock import ServerState
from mockserver.engine.store import Bounds, Listener
from mockserver.engine.store.codec import RuleForm
from mockserver.engine.store.redis import layout
from mockserver.engine.store.redis.accounts import Accounts
from mockserver.engine.store.redis.address import Server
from mockserver.engine.store.redis.callbacks import Callbacks, Entries
from mockserver.engine.store.redis.database import Database
from mockserver.engine.store.redis.events import Events
from mockserver.engine.store.redis.everything import Everything
from mockserver.engine.store.redis.generations import Generations
from mockserver.engine.store.redis.life import Life
from mockserver.engine.store.redis.lists import Lists
from mockserver.engine.store.redis.numbers import Numbers
from mockserver.engine.store.redis.scripts import script
from mockserver.engine.store.redis.setting import Setting
from mockserver.engine.store.redis.steering import RedisSteering

ANNOUNCE = script("announce")


class RedisStore:
    """`Store` on a server that several processes on several hosts share.

    Args:
        url: redis://, rediss:// (TLS), valkey://, valkeys:// or unix://; `?prefix=` names the keys.
        opening: what a new account has, in minor units, by provider.
        rules: how fault rules are written and read.

    Raises:
        ValueError: the URL is none of these.
    """

    def __init__(self, url: str, opening: Mapping[str, int], bounds: Bounds | None, rules: RuleForm) -> None:
        self.bounds = bounds or Bounds()
        self.shared = True
        setting, numbers = Setting(opening, self.bounds), Numbers()
        database = self._database = Database(Server.parse(url), rules)
        database.forget_guesses = numbers.clear
        self.set_terms = setting.set_terms

        entries = Entries(database, setting)
        self.entry, self.open_entry, self.close_entry = entries.entry, entries.open_entry, entries.close_entry

        accounts = Accounts(database, setting, numbers, entries.ids_may_repeat)
        self.count_request, self.refresh = accounts.count_request, database.refresh
        self.account, self.usage, self.change_account = accounts.account, accounts.usage, accounts.change_account
        self.check_money, self.admit = accounts.check_money, accounts.admit

        generations = Generations(database, setting, numbers)
        self.submit, self.settle = generations.submit, generations.settle
        self.task, self.is_open = generations.task, generations.is_open
        self.traced, self.replayed = generations.traced, generations.replayed

        callbacks = Callbacks(database, setting)
        self.delivery, self.delivery_of = callbacks.delivery, callbacks.delivery_of
        self.update_delivery = callbacks.update_delivery

        events = Events(database, setting)
        self.next_due, self.may_be_due = events.next_due, events.may_be_due
        self.claim_due, self.claim_more, self.claim_ends = events.claim_due, events.claim_more, events.claim_ends
        self.begin_advance, self.end_advance = events.begin_advance, events.end_advance
        self.claimed_elsewhere, self.put_clock = events.claimed_elsewhere, events.put_clock
        self.plan_alarm, self.drop_alarm = events.plan_alarm, events.drop_alarm

        lists = Lists(database, setting, entries.read)
        self.tasks, self.deliveries, self.entries = lists.tasks, lists.deliveries, lists.entries
        self.accounts, self.kept, self.pending = lists.accounts, lists.kept, lists.pending

        self.steering = RedisSteering(database, rules)
        everything = self._everything = Everything(database, setting, self.steering, rules)
        self.reset, self.reset_account = everything.reset, everything.reset_account
        self.dump, self.load = everything.dump, everything.load

        self._life = Life(database, setting, events)
        self.watch = self._life.watch

    async def open(self, listener: Listener) -> None:
        self._database.copy.listener = listener
        await self._database.open()

    async def begin(self, state: ServerState) -> ServerState | None:
        began = await self._database.begin(state)
        await self._life.start()
        self._everything.clear_away()
        kept = self._database.copy.current.state
        return None if began or kept is None else self._database.copy.shown(kept)

    async def put_state(self, state: ServerState) -> None:
        await self._database.put_state(*layout.clock_fields(state.clock), *layout.jump_fields(state))

    async def announce_control(self, path: str) -> None:
        await self._database.run(ANNOUNCE, "control", path)

    async def close(self) -> None:
        await self._life.leave()
        await self._everything.stop()
        await self._database.close()
