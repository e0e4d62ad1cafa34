"""The store on a Redis or Valkey server, which several processes on several hosts share (extra `redis`).

| module | what it knows |
|---|---|
| `address`, `connection`, `database` | the server: its URL, one connection for all commands, scripts and errors |
| `scripts`, `lua/` | a script for each verb that writes, and for most that read |
| `layout`, `setting`, `numbers` | records as they lie there; what a process knows of accounts |
| `generations`, `accounts`, `callbacks`, `events`, `lists`, `steering`, `matches` | the verbs |
| `everything`, `reading`, `filling` | reset, dump and load |
| `life` | beats, the changes by others, taking over from the dead |

Keys begin with `{mock}` (`?prefix=`). That key itself is a hash: form, instance, version of what is in force, and the
number of the generation in force, which all records are under (`{mock}:1795229135:task` …). Besides it there are
`{mock}:processes` (beats), `{mock}:changes` (a stream) and the generations that are made or to be cleared away.
"""

from mockserver.engine.store.redis.store import RedisStore

__all__ = ["RedisStore"]
