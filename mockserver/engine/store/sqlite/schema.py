"""The tables of the file. One counter, `header.last`, numbers the rows of all kinds in the order in which they came.

| table | a row is |
|---|---|
| header | the one row of counters, read at the start of every transaction and written at its end |
| force | the one row with the clock, seed and autojump, and the callback routes |
| accounts, usage | an account; what a generation cost: `id` is the account's number * 2^32 + the record's own |
| tasks | a task; `plan`, `ended`: its places in the order of planning and of ending; `holder` has claimed its end |
| names | what a client calls a task: `key` is made of the account and the trace id or idempotency key |
| deliveries | a callback; likewise, with `began`: when the claimed attempt began; `task` is the `key` of its task |
| entries, answers | a request, and what was answered |
| rules, sinks, received | what tests steer by |
| processes, alarms, changes | who lives, and watches; delays of calls; what transactions have told other processes |

A record is looked up by `key`, 64 bits of a hash of its id: their index is a third of one of the ids, and a page of
an index is most of what a new record costs. A text that is not ASCII is kept as a BLOB, for SQLite's TEXT can't hold
every Python string.
"""

TABLES = """
CREATE TABLE header (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL, last INTEGER NOT NULL,
    processes INTEGER NOT NULL, watchers INTEGER NOT NULL,
    advancer TEXT NOT NULL, first_end REAL NOT NULL, anonymous_requests INTEGER NOT NULL,
    tasks_open INTEGER NOT NULL, tasks_ended INTEGER NOT NULL, tasks_dropped INTEGER NOT NULL,
    callbacks_open INTEGER NOT NULL, callbacks_ended INTEGER NOT NULL, callbacks_dropped INTEGER NOT NULL,
    requests INTEGER NOT NULL, requests_dropped INTEGER NOT NULL,
    accounts INTEGER NOT NULL, accounts_opened INTEGER NOT NULL, accounts_dropped INTEGER NOT NULL,
    sinks INTEGER NOT NULL, sinks_dropped INTEGER NOT NULL,
    receipts INTEGER NOT NULL, receipts_length INTEGER NOT NULL,
    rules_added INTEGER NOT NULL
);
CREATE TABLE force (id INTEGER PRIMARY KEY, state BLOB, routes BLOB NOT NULL);
CREATE TABLE accounts (
    seq INTEGER PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL,
    opening INTEGER NOT NULL, balance INTEGER NOT NULL, held INTEGER NOT NULL, captured INTEGER NOT NULL,
    requests INTEGER NOT NULL, submissions INTEGER NOT NULL,
    quota INTEGER, month TEXT NOT NULL, spent INTEGER NOT NULL, quotas INTEGER NOT NULL,
    limited INTEGER, seconds REAL, recent BLOB,
    usage_count INTEGER NOT NULL, usage_dropped INTEGER NOT NULL,
    UNIQUE (account, provider)
);
CREATE TABLE usage (id INTEGER PRIMARY KEY, time REAL NOT NULL, amount INTEGER NOT NULL, task BLOB NOT NULL);

CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, id TEXT NOT NULL,
    provider TEXT NOT NULL, account TEXT NOT NULL,
    due REAL NOT NULL, plan INTEGER, holder TEXT, month TEXT NOT NULL, ended INTEGER, data BLOB NOT NULL
);
CREATE INDEX tasks_of ON tasks (account);
CREATE INDEX task_ends ON tasks (due, plan) WHERE plan IS NOT NULL AND holder IS NULL;
CREATE INDEX tasks_claimed ON tasks (holder) WHERE holder IS NOT NULL;
CREATE INDEX tasks_ended ON tasks (ended) WHERE ended IS NOT NULL;
CREATE TABLE names (key INTEGER PRIMARY KEY, task INTEGER NOT NULL);
CREATE INDEX names_of ON names (task);

CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, id TEXT NOT NULL, task INTEGER NOT NULL,
    first INTEGER NOT NULL, provider TEXT NOT NULL, account TEXT NOT NULL,
    due REAL, plan INTEGER, holder TEXT, began REAL, held_back INTEGER NOT NULL, ended INTEGER, data BLOB NOT NULL
);
CREATE INDEX deliveries_of ON deliveries (account);
CREATE INDEX deliveries_of_task ON deliveries (task) WHERE first;
CREATE INDEX attempts ON deliveries (due, plan) WHERE plan IS NOT NULL AND holder IS NULL;
CREATE INDEX deliveries_claimed ON deliveries (holder) WHERE holder IS NOT NULL;
CREATE INDEX deliveries_held_back ON deliveries (account, seq) WHERE held_back;
CREATE INDEX deliveries_ended ON deliveries (ended) WHERE ended IS NOT NULL;

CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, id TEXT NOT NULL,
    provider TEXT NOT NULL, account TEXT NOT NULL, data BLOB NOT NULL
);
CREATE TABLE answers (seq INTEGER PRIMARY KEY, data BLOB NOT NULL);

CREATE TABLE rules (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account TEXT,
    matched INTEGER NOT NULL, fired INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE TABLE sinks (
    seq INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    kept INTEGER NOT NULL, dropped INTEGER NOT NULL, script BLOB NOT NULL
);
CREATE TABLE received (seq INTEGER PRIMARY KEY, sink INTEGER NOT NULL, length INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX received_of ON received (sink, seq);

CREATE TABLE processes (id TEXT PRIMARY KEY, beat INTEGER NOT NULL, watches INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE alarms (
    process TEXT NOT NULL, name TEXT NOT NULL, due REAL NOT NULL, plan INTEGER NOT NULL, PRIMARY KEY (process, name)
) WITHOUT ROWID;
CREATE TABLE changes (seq INTEGER PRIMARY KEY, process TEXT NOT NULL, at REAL NOT NULL, data BLOB NOT NULL);
"""
