"""What falls due, and who runs it: an event is claimed by one process, and stays its own until it is settled, concluded
or planned anew, or until that process is found dead."""

from math import inf
from typing import Any

from mockserver.engine.schedule import Event, EventKind
from mockserver.engine.store.codec import dump_delivery, load_delivery
from mockserver.engine.store.shared import interrupted
from mockserver.engine.store.sqlite.rows import Run, text_of
from mockserver.engine.store.sqlite.transaction import Transaction

CLAIMED_AT_ONCE = 64
"""Ends that are claimed in one transaction."""

_END = "SELECT due, plan, id, seq FROM tasks WHERE plan IS NOT NULL AND holder IS NULL ORDER BY due, plan LIMIT 1"
_ATTEMPT = (
    "SELECT due, plan, id, seq FROM deliveries WHERE plan IS NOT NULL AND holder IS NULL ORDER BY due, plan LIMIT 1"
)
_FIRST_ENDS, _FIRST_ATTEMPTS = (query.replace("LIMIT 1", "LIMIT ?") for query in (_END, _ATTEMPT))
_ALARM = "SELECT due, plan, name, process FROM alarms WHERE process != ? ORDER BY due, plan LIMIT 1"


def next_due(run: Run, process: str) -> float | None:
    """When an end or an attempt that nobody has claimed falls due next. While another process advances the clock, it
    alone makes attempts."""
    (advancer,) = run("SELECT advancer FROM header").fetchone()
    queries = (_END, _ATTEMPT) if advancer in ("", process) else (_END,)
    heads = [head for query in queries if (head := run(query).fetchone()) is not None]
    return min(heads)[0] if heads else None


def is_due(run: Run, now: float) -> bool:
    """Whether there is an end or an attempt to claim: a look that takes no lock."""
    attempt = run(_ATTEMPT).fetchone()
    return (attempt is not None and attempt[0] <= now) or is_end_due(run, now)


def is_end_due(run: Run, now: float) -> bool:
    end = run(_END).fetchone()
    return end is not None and end[0] <= now


def claim_ends(transaction: Transaction, now: float) -> list[Event]:
    """Claim the first ends that are due, in order; none if none is."""
    run, name, header = transaction.run, transaction.process.name, transaction.header
    found = run(_FIRST_ENDS, (CLAIMED_AT_ONCE + 1,)).fetchall()
    due = [row for row in found[:CLAIMED_AT_ONCE] if row[0] <= now]
    for _, _, _, seq in due:
        run("UPDATE tasks SET holder = ? WHERE seq = ?", (name, seq))
    header.first_end = found[len(due)][0] if len(due) < len(found) else float("inf")
    return [(at, "finish", text_of(task)) for at, _, task, _ in due]


def claim_first(transaction: Transaction, now: float) -> Event | None:
    """Claim the first event that is due: an end, an attempt, or, while this process advances the clock, an alarm of
    another one, which is taken out. Nothing while another process advances."""
    run, name, advancer = transaction.run, transaction.process.name, transaction.header.advancer
    heads: list[tuple[float, int, EventKind, str, Any]] = []
    if advancer not in ("", name):
        return None
    ends = run(_FIRST_ENDS, (2,)).fetchall()
    if ends:
        heads.append((ends[0][0], ends[0][1], "finish", ends[0][2], ends[0][3]))
    if (attempt := run(_ATTEMPT).fetchone()) is not None:
        heads.append((attempt[0], attempt[1], "attempt", attempt[2], attempt[3]))
    if advancer == name and (alarm := run(_ALARM, (name,)).fetchone()) is not None:
        heads.append((alarm[0], alarm[1], "alarm", alarm[2], alarm[3]))
    if not heads or min(heads)[0] > now:
        return None
    due, _, kind, what, place = min(heads)
    transaction.header.first_end = min((end[0] for end in ends if end[3] != place or kind != "finish"), default=inf)
    if kind == "finish":
        run("UPDATE tasks SET holder = ? WHERE seq = ?", (name, place))
    elif kind == "attempt":
        run("UPDATE deliveries SET holder = ?, began = ? WHERE seq = ?", (name, now, place))
    else:
        run("DELETE FROM alarms WHERE process = ? AND name = ?", (place, what))
    return due, kind, text_of(what)


def claim_more(transaction: Transaction, kind: EventKind, until: float, most: int) -> list[Event]:
    """Claim what comes next of a kind, up to what is of the other kind, or an alarm of another process."""
    run, name, header = transaction.run, transaction.process.name, transaction.header
    if header.advancer not in ("", name):
        return []
    own, other = (_FIRST_ENDS, _ATTEMPT) if kind == "finish" else (_FIRST_ATTEMPTS, _END)
    barrier, alarm = run(other).fetchone() or (inf, 0), run(_ALARM, (name,)).fetchone() or (inf, 0)
    found = run(own, (most + 1,)).fetchall()
    taken = [row for row in found[:most] if row[0] <= min(until, alarm[0]) and row[:2] < barrier[:2]]
    for due, _, _, seq in taken:
        if kind == "finish":
            run("UPDATE tasks SET holder = ? WHERE seq = ?", (name, seq))
        else:
            run("UPDATE deliveries SET holder = ?, began = ? WHERE seq = ?", (name, due, seq))
    if kind == "finish":
        header.first_end = found[len(taken)][0] if len(taken) < len(found) else inf
    return [(due, kind, text_of(what)) for due, _, what, _ in taken]


def claimed_elsewhere(run: Run, process: str) -> list[str]:
    """What other processes have claimed that live; those that are dead are found by their beats."""
    return [
        text_of(name)
        for table in ("tasks", "deliveries")
        for (name,) in run(
            f"SELECT id FROM {table} WHERE holder IS NOT NULL AND holder != ? AND holder IN (SELECT id FROM processes)",
            (process,),
        ).fetchall()
    ]


def begin_advance(transaction: Transaction) -> bool:
    header, name = transaction.header, transaction.process.name
    if header.advancer not in ("", name):
        return False
    header.advancer = name
    return True


def end_advance(transaction: Transaction) -> None:
    if transaction.header.advancer == transaction.process.name:
        transaction.header.advancer = ""


def plan_alarm(transaction: Transaction, due: float, name: str) -> None:
    process, number = transaction.process.name, transaction.header.next()
    transaction.run("INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?)", (process, name, due, number))


def drop_alarm(transaction: Transaction, name: str) -> None:
    transaction.run("DELETE FROM alarms WHERE process = ? AND name = ?", (transaction.process.name, name))


# processes


def beat(transaction: Transaction) -> dict[str, int]:
    """Say that this process lives; the beats of the others."""
    run, name = transaction.run, transaction.process.name
    if not run("UPDATE processes SET beat = beat + 1 WHERE id = ?", (name,)).rowcount:
        run("INSERT INTO processes VALUES (?, 1, 0)", (name,))
        transaction.header.processes += 1
    note_watch(transaction)
    return dict(run("SELECT id, beat FROM processes WHERE id != ?", (name,)).fetchall())


def note_watch(transaction: Transaction) -> None:
    """Let the other processes know whether this one watches."""
    run, name, watches = transaction.run, transaction.process.name, transaction.process.watches
    if run("UPDATE processes SET watches = ? WHERE id = ? AND watches != ?", (watches, name, watches)).rowcount:
        transaction.header.watchers += 1 if watches else -1


def take_over(transaction: Transaction, name: str) -> bool:
    """Let others have what a process had claimed that is dead, or ends; whether it had anything."""
    run, header = transaction.run, transaction.header
    for (watches,) in run("SELECT watches FROM processes WHERE id = ?", (name,)).fetchall():
        header.processes -= 1
        header.watchers -= watches
    run("DELETE FROM processes WHERE id = ?", (name,))
    header.advancer = "" if header.advancer == name else header.advancer
    run("DELETE FROM alarms WHERE process = ?", (name,))
    ends = run("SELECT min(due) FROM tasks WHERE holder = ?", (name,)).fetchone()[0]
    if ends is not None:
        run("UPDATE tasks SET holder = NULL WHERE holder = ?", (name,))
        header.first_end = min(header.first_end, ends)
    attempts = run("SELECT seq, began, data FROM deliveries WHERE holder = ?", (name,)).fetchall()
    for seq, began, data in attempts:
        delivery = load_delivery(data)
        after = interrupted(delivery, began)
        run("UPDATE deliveries SET holder = NULL, began = NULL, data = ? WHERE seq = ?", (dump_delivery(after), seq))
        transaction.tell("attempt", delivery.id)
    return ends is not None or bool(attempts)
