"""The store in an SQLite file, by the standard library: one instance that survives restarts and crashes, and several
processes of one machine on the same file. An answer is given once what it says is in the file.
"""

from mockserver.engine.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
