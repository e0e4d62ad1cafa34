"""What tests steer by: rules with their counts, routes, and sinks with what they received."""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence

from mockserver.engine.outbound import Route
from mockserver.engine.sinks import RECEIPTS_KEPT, RECEIPTS_LENGTH, RECEIVED_KEPT, SINKS_KEPT, Received, Reply, Sink
from mockserver.engine.store.codec import dump, dump_received, dump_rule, dump_script, load_received, load_script
from mockserver.engine.store.sqlite.reader import Reader
from mockserver.engine.store.sqlite.rows import Run, param, text_of
from mockserver.engine.store.sqlite.transaction import Process, Transaction
from mockserver.engine.store.sqlite.writer import Writer
from mockserver.engine.store.steering import NO_MATCHES, R, RuleCounts, StoredRule


class SqliteSteering:
    """`Steering` on the file. Before the store is opened, nothing is in force."""

    _writer: Writer
    _reader: Reader

    def __init__(self, process: Process) -> None:
        self._process = process

    def connect(self, writer: Writer, reader: Reader) -> None:
        self._writer, self._reader = writer, reader

    def rules(self) -> Sequence[StoredRule]:
        return self._process.copy.current.rules

    def routes(self) -> tuple[Route, ...]:
        return self._process.copy.current.routes

    async def rule_counts(self, rule_id: str) -> RuleCounts:
        return await self._writer.read(_counts, rule_id) or NO_MATCHES

    async def add_rule(self, rule_of: Callable[[int], R]) -> R:
        return await self._writer.run(_add_rule, rule_of)

    async def remove_rules(self, ids: Collection[str]) -> int:
        return await self._writer.run(remove_rules, ids)

    async def count_match(self, rule_id: str, fires: Callable[[RuleCounts], bool]) -> bool:
        return await self._writer.run(_count_match, rule_id, fires)

    async def change_routes(self, change: Callable[[tuple[Route, ...]], tuple[Route, ...]]) -> tuple[Route, ...]:
        return await self._writer.run(_change_routes, change)

    async def sinks(self) -> Mapping[str, Sink]:
        return await self._reader.read(read_sinks)

    async def sink(self, name: str) -> Sink | None:
        return (await self._reader.read(read_sinks, name)).get(name)

    async def is_scripted(self, name: str) -> bool:
        return await self._writer.read(_is_scripted, name)

    async def put_sink(self, name: str, script: Sequence[Reply] = ()) -> None:
        await self._writer.run(put_sink, name, script)

    async def deliver(self, name: str, received: Received) -> Reply:
        return await self._writer.run(_deliver, name, received)


def _is_scripted(run: Run, name: str) -> bool:
    found = run("SELECT script FROM sinks WHERE name = ?", (param(name),)).fetchone()
    return found is not None and bool(load_script(found[0]))


def _counts(run: Run, rule_id: str) -> RuleCounts | None:
    found = run("SELECT matched, fired FROM rules WHERE id = ?", (param(rule_id),)).fetchone()
    return RuleCounts(*found) if found is not None else None


def _add_rule(transaction: Transaction, rule_of: Callable[[int], R]) -> R:
    header = transaction.header
    rule = rule_of(header.rules_added + 1)
    insert_rule(transaction, rule, NO_MATCHES)
    header.rules_added += 1
    transaction.put_in_force(rules=(*transaction.force.rules, rule))
    return rule


def insert_rule(transaction: Transaction, rule: StoredRule, counts: RuleCounts) -> None:
    account = param(rule.account) if rule.account is not None else None
    data = dump_rule(transaction.process.rule_form, rule)
    transaction.run(
        "INSERT INTO rules VALUES (?, ?, ?, ?, ?, ?)",
        (transaction.header.next(), param(rule.id), account, counts.matched, counts.fired, data),
    )


def remove_rules(transaction: Transaction, ids: Collection[str]) -> int:
    gone = [rule for rule in transaction.force.rules if rule.id in ids]
    for rule in gone:
        transaction.run("DELETE FROM rules WHERE id = ?", (param(rule.id),))
    if gone:
        transaction.put_in_force(rules=tuple(rule for rule in transaction.force.rules if rule.id not in ids))
    return len(gone)


def _count_match(transaction: Transaction, rule_id: str, fires: Callable[[RuleCounts], bool]) -> bool:
    counts = _counts(transaction.run, rule_id)
    if counts is None:
        return False
    fired = fires(RuleCounts(counts.matched + 1, counts.fired))
    transaction.run(
        "UPDATE rules SET matched = matched + 1, fired = fired + ? WHERE id = ?", (bool(fired), param(rule_id))
    )
    return fired


def _change_routes(
    transaction: Transaction, change: Callable[[tuple[Route, ...]], tuple[Route, ...]]
) -> tuple[Route, ...]:
    routes = change(transaction.force.routes)
    write_routes(transaction, routes)
    return routes


def write_routes(transaction: Transaction, routes: tuple[Route, ...]) -> None:
    transaction.run("UPDATE force SET routes = ?", (dump(routes),))
    transaction.put_in_force(routes=routes)


# sinks


def put_sink(transaction: Transaction, name: str, script: Sequence[Reply], dropped: int = 0) -> int:
    """Set up a sink, in place of one of that name; the oldest goes when there are as many as are kept. Its number."""
    run, header = transaction.run, transaction.header
    _remove_sinks(transaction, run("SELECT seq FROM sinks WHERE name = ?", (param(name),)).fetchall())
    if header.sinks >= SINKS_KEPT:
        _remove_sinks(transaction, run("SELECT seq FROM sinks ORDER BY seq LIMIT 1").fetchall())
        header.sinks_dropped += 1
    header.sinks += 1
    number = header.next()
    run("INSERT INTO sinks VALUES (?, ?, 0, ?, ?)", (number, param(name), dropped, dump_script(tuple(script))))
    return number


def _remove_sinks(transaction: Transaction, numbers: list[tuple[int]]) -> None:
    run, header = transaction.run, transaction.header
    for number in numbers:
        count, length = run("SELECT count(*), total(length) FROM received WHERE sink = ?", number).fetchone()
        run("DELETE FROM received WHERE sink = ?", number)
        run("DELETE FROM sinks WHERE seq = ?", number)
        header.sinks -= 1
        header.receipts -= count
        header.receipts_length -= int(length)


def _deliver(transaction: Transaction, name: str, received: Received) -> Reply:
    found = transaction.run("SELECT seq, script FROM sinks WHERE name = ?", (param(name),)).fetchone()
    number, script = found if found is not None else (put_sink(transaction, name, ()), b"[]")
    sink = Sink(load_script(script))
    if sink.script:
        rest = dump_script(sink.script[1:])
        transaction.run("UPDATE sinks SET script = ? WHERE seq = ?", (rest, number))
    receive(transaction, number, received)
    return sink.next_reply


def receive(transaction: Transaction, number: int, received: Received) -> None:
    """Record what a sink was sent; the oldest goes of what it has, or of what all have, if that is too much."""
    run, header = transaction.run, transaction.header
    length = len(received.body)
    run("INSERT INTO received VALUES (?, ?, ?, ?)", (header.next(), number, length, dump_received(received)))
    run("UPDATE sinks SET kept = kept + 1 WHERE seq = ?", (number,))
    header.receipts += 1
    header.receipts_length += length
    if run("SELECT kept FROM sinks WHERE seq = ?", (number,)).fetchone()[0] > RECEIVED_KEPT:
        _drop_receipt(transaction, "WHERE sink = ?", (number,))
    while header.receipts > RECEIPTS_KEPT or (header.receipts_length > RECEIPTS_LENGTH and header.receipts > 1):
        _drop_receipt(transaction, "", ())


def _drop_receipt(transaction: Transaction, of_which: str, values: tuple[int, ...]) -> None:
    """Drop the oldest request of a sink, or of all sinks."""
    run, header = transaction.run, transaction.header
    found = run(f"SELECT seq, sink, length FROM received {of_which} ORDER BY seq LIMIT 1", values)
    seq, number, length = found.fetchone()
    run("DELETE FROM received WHERE seq = ?", (seq,))
    run("UPDATE sinks SET kept = kept - 1, dropped = dropped + 1 WHERE seq = ?", (number,))
    header.receipts -= 1
    header.receipts_length -= length


def load_sinks(transaction: Transaction, sinks: Mapping[str, Sink]) -> None:
    """Set up sinks with what they have received: the oldest of all goes first when there is too much."""
    receipts = []
    for name, sink in sinks.items():
        number, latest = put_sink(transaction, name, sink.script, sink.dropped), 0.0
        for received in sink.received:
            latest = max(latest, received.time)  # a clock that was put back does not change the order of one sink
            receipts.append((latest, number, received))
    for _, number, received in sorted(receipts, key=lambda receipt: receipt[0]):
        receive(transaction, number, received)


def read_sinks(db: sqlite3.Connection, name: str | None = None) -> dict[str, Sink]:
    """All sinks, the one that was set up last coming last; or one."""
    condition, values = ("", ()) if name is None else (" WHERE name = ?", (param(name),))
    sinks: dict[str, Sink] = {}
    for called, number, dropped, script in db.execute(
        f"SELECT name, seq, dropped, script FROM sinks{condition} ORDER BY seq", values
    ).fetchall():
        rows = db.execute("SELECT data FROM received WHERE sink = ? ORDER BY seq", (number,))
        sinks[text_of(called)] = Sink(load_script(script), tuple([load_received(data) for (data,) in rows]), dropped)
    return sinks


def forget_rules_of(transaction: Transaction, account: str) -> None:
    """Remove the rules of one key's hash."""
    remove_rules(transaction, {rule.id for rule in transaction.force.rules if rule.account == account})
