"""What survives a restart: functions, their numbered releases, and which of them gets the traffic.

Touches one SQLite file. Every method is one transaction, so that a process killed between two
steps of a deploy leaves a state from which the deploy can be repeated.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from preheat.errors import NotDeployed, ProviderError
from preheat_providers.local.supervisor.paths import private_folder
from preheat_providers.local.supervisor.spec import Spec, read_spec

VERSION = 2

TABLES = """
CREATE TABLE functions (
    function TEXT PRIMARY KEY,
    port INTEGER,
    token_hash TEXT,
    last_release INTEGER NOT NULL DEFAULT 0,
    active INTEGER,
    canary INTEGER,
    canary_share REAL NOT NULL DEFAULT 0,
    predecessor INTEGER
) STRICT;
CREATE TABLE releases (
    function TEXT NOT NULL REFERENCES functions ON DELETE CASCADE,
    number INTEGER NOT NULL,
    created TEXT NOT NULL,
    step TEXT NOT NULL,
    digest TEXT NOT NULL,
    spec TEXT NOT NULL,
    PRIMARY KEY (function, number)
) STRICT;
"""

UPGRADES = {1: "ALTER TABLE functions ADD COLUMN predecessor INTEGER;"}
"""What makes a file of an earlier version one of the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRow:
    """One function. `active` is None until its first deploy has finished; `canary` has a share beside it.

    `predecessor` is what was active until `active` was.
    """

    function: str
    port: int | None
    token_hash: str | None
    last_release: int
    active: int | None
    canary: int | None
    canary_share: float
    predecessor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One release that was made ready at least once. `created` is RFC 3339 UTC."""

    number: int
    created: str
    digest: str
    spec: Spec


class State:
    """The state file of one home. Raises ProviderError where the file cannot be read."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] | None = None) -> None:
        private_folder(path.parent)
        self._path = path
        self._now = now or (lambda: datetime.now(UTC))
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._open()
        except sqlite3.DatabaseError as exc:
            self._db.close()
            raise ProviderError(
                f"The state file {path} cannot be read: {exc}. Nothing was changed or deleted.",
                hint=f"Keep it and start afresh, then deploy again: mv {path} {path}.broken",
            ) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def functions(self) -> tuple[FunctionRow, ...]:
        """Return every function, those of an unfinished first deploy included."""
        rows = self._db.execute(
            "SELECT function, port, token_hash, last_release, active, canary, canary_share, predecessor"
            " FROM functions ORDER BY function"
        )
        return tuple(_function_row(row) for row in rows)

    def function(self, function: str) -> FunctionRow:
        """Return one function; raises NotDeployed."""
        for row in self.functions():
            if row.function == function:
                return row
        name, _, stage = function.partition("@")
        raise NotDeployed(f"{name!r} is not deployed at stage {stage!r}.", hint="See what is: preheat status")

    def add_function(self, function: str) -> FunctionRow:
        """Record that `function` is being deployed, unless it is known, and return it."""
        self._db.execute("INSERT OR IGNORE INTO functions (function) VALUES (?)", (function,))
        return self.function(function)

    def set_port(self, function: str, port: int) -> None:
        """Record the endpoint's port, which every later start uses again."""
        self._db.execute("UPDATE functions SET port = ? WHERE function = ?", (port, function))

    def set_token_hash(self, function: str, token_hash: str | None) -> None:
        """Record the hash of the endpoint's token, or that there is none."""
        self._db.execute("UPDATE functions SET token_hash = ? WHERE function = ?", (token_hash, function))

    def add_release(self, spec: Spec) -> ReleaseRow:
        """Record a release that is being prepared, under the next number, which is never used again."""
        created = self._now().isoformat(timespec="seconds").replace("+00:00", "Z")
        with self._transaction():
            self._db.execute(
                "UPDATE functions SET last_release = last_release + 1 WHERE function = ?", (spec.function,)
            )
            number = self.function(spec.function).last_release
            self._db.execute(
                "INSERT INTO releases VALUES (?, ?, ?, 'preparing', ?, ?)",
                (spec.function, number, created, spec.digest, spec.to_json()),
            )
        return ReleaseRow(number=number, created=created, digest=spec.digest, spec=spec)

    def drop_release(self, function: str, number: int) -> None:
        """Forget a release that could not be made ready."""
        self._db.execute("DELETE FROM releases WHERE function = ? AND number = ?", (function, number))

    def drop_unfinished(self) -> tuple[tuple[str, int], ...]:
        """Forget the releases whose deploy was killed, and return them."""
        rows = self._db.execute("SELECT function, number FROM releases WHERE step = 'preparing'").fetchall()
        self._db.execute("DELETE FROM releases WHERE step = 'preparing'")
        return tuple((str(function), int(number)) for function, number in rows)

    def route(self, function: str, active: int, *, canary: int | None = None, share: float = 0.0) -> None:
        """Give the traffic to release `active`, except the `share` that `canary` gets."""
        with self._transaction():
            self._db.execute(
                "UPDATE releases SET step = 'ready' WHERE function = ? AND number = ?", (function, active)
            )
            self._db.execute(
                "UPDATE functions SET predecessor = CASE active WHEN ?1 THEN predecessor ELSE active END,"
                " active = ?1, canary = ?2, canary_share = ?3 WHERE function = ?4",
                (active, canary, share, function),
            )

    def releases(self, function: str) -> tuple[ReleaseRow, ...]:
        """Return the releases that can serve, oldest first."""
        rows = self._db.execute(
            "SELECT number, created, digest, spec FROM releases"
            " WHERE function = ? AND step = 'ready' ORDER BY number",
            (function,),
        )
        return tuple(
            ReleaseRow(number=number, created=created, digest=digest, spec=read_spec(spec))
            for number, created, digest, spec in rows
        )

    def release(self, function: str, number: int) -> ReleaseRow:
        """Return one release; raises ProviderError when there is no such one."""
        kept = self.releases(function)
        for row in kept:
            if row.number == number:
                return row
        numbers = ", ".join(str(row.number) for row in kept) or "none"
        raise ProviderError(f"{function} has no release {number}; there is: {numbers}.")

    def remove_function(self, function: str) -> None:
        """Forget the function and its releases."""
        self._db.execute("DELETE FROM functions WHERE function = ?", (function,))

    def _open(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA busy_timeout = 5000")
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            self._db.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
            found = VERSION
        while found in UPGRADES:
            found += 1
            self._db.executescript(f"BEGIN; {UPGRADES[found - 1]} PRAGMA user_version = {found}; COMMIT;")
        if found != VERSION:
            raise sqlite3.DatabaseError(f"it has version {found}, this Preheat reads version {VERSION}")
        problem = self._db.execute("PRAGMA quick_check").fetchone()[0]
        if problem != "ok":
            raise sqlite3.DatabaseError(str(problem))

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)


class _Transaction:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")


def _function_row(
    row: tuple[str, int | None, str | None, int, int | None, int | None, float, int | None],
) -> FunctionRow:
    function, port, token_hash, last_release, active, canary, canary_share, predecessor = row
    return FunctionRow(
        function=function,
        port=port,
        token_hash=token_hash,
        last_release=last_release,
        active=active,
        canary=canary,
        canary_share=canary_share,
        predecessor=predecessor,
    )
