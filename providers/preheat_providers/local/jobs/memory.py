"""What a trigger remembers between two runs of the supervisor: the objects it knows, and how far it came."""

import sqlite3
from collections.abc import Iterable

from preheat_providers.local.jobs.database import Database
from preheat_providers.local.jobs.model import KnownObject

_RECORD = """
    INSERT INTO objects (function, trigger, key, version, size, mtime_ns) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (function, trigger, key) DO UPDATE
    SET version = excluded.version, size = excluded.size, mtime_ns = excluded.mtime_ns
"""


def record_object(connection: sqlite3.Connection, function: str, known: KnownObject) -> bool:
    """Remember an object; return whether this very version was known already."""
    same = connection.execute(
        "SELECT 1 FROM objects WHERE function = ? AND trigger = ? AND key = ? AND version = ?",
        (function, known.trigger, known.key, known.version),
    ).fetchone()
    connection.execute(
        _RECORD, (function, known.trigger, known.key, known.version, known.size, known.mtime_ns)
    )
    return same is not None


class TriggerMemory:
    """The tables `objects` and `cursors`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, function: str, trigger: str) -> dict[str, KnownObject]:
        """Return the trigger's objects by key."""

        def work(connection: sqlite3.Connection) -> dict[str, KnownObject]:
            rows = connection.execute(
                "SELECT trigger, key, version, size, mtime_ns FROM objects"
                " WHERE function = ? AND trigger = ?",
                (function, trigger),
            )
            return {row["key"]: KnownObject(**dict(row)) for row in rows}

        return await self._database.read(work)

    async def known_object(self, function: str, trigger: str, key: str) -> KnownObject | None:
        """Return one of the trigger's objects."""

        def work(connection: sqlite3.Connection) -> KnownObject | None:
            row = connection.execute(
                "SELECT trigger, key, version, size, mtime_ns FROM objects"
                " WHERE function = ? AND trigger = ? AND key = ?",
                (function, trigger, key),
            ).fetchone()
            return None if row is None else KnownObject(**dict(row))

        return await self._database.read(work)

    async def remember(self, function: str, objects: Iterable[KnownObject]) -> None:
        """Record objects that are not to run."""
        rows = [
            (function, each.trigger, each.key, each.version, each.size, each.mtime_ns) for each in objects
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_RECORD, rows)

        await self._database.write(work)

    async def forget(self, function: str, trigger: str, keys: Iterable[str]) -> None:
        """Drop objects that are gone from the bucket."""
        rows = [(function, trigger, key) for key in keys]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM objects WHERE function = ? AND trigger = ? AND key = ?", rows)

        await self._database.write(work)

    async def cursor(self, function: str, trigger: str) -> str | None:
        """Return how far the trigger came, as it wrote it, or None when it is new."""

        def work(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "SELECT value FROM cursors WHERE function = ? AND trigger = ?", (function, trigger)
            ).fetchone()
            return None if row is None else str(row["value"])

        return await self._database.read(work)

    async def set_cursor(self, function: str, trigger: str, value: str) -> None:
        """Record how far the trigger came."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO cursors (function, trigger, value) VALUES (?, ?, ?)"
                " ON CONFLICT (function, trigger) DO UPDATE SET value = excluded.value",
                (function, trigger, value),
            )

        await self._database.write(work)
