"""One SQLite connection on one thread of its own, so that a commit's fsync never stops the event loop."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from preheat.errors import ProviderError, Unavailable
from preheat_providers.local.jobs.schema import migrate

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_TIMEOUT_S = 5.0


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise ProviderError(
            f"{path} cannot be opened: {error}",
            hint=f"If the file is damaged, set it aside (its jobs are lost): mv {path} {path}.damaged",
        ) from error
    except ProviderError:
        connection.close()
        raise
    return connection


class Database:
    """A file of tables. Every call runs alone, in the order in which the calls were made."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="preheat-jobs")
        try:
            self._connection = self._thread.submit(_open, path).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def write(self, work: Work[T], *, undo: Callable[[], None] | None = None) -> T:
        """Run `work` in one transaction, durable when this returns. Raises Unavailable if the disk refuses.

        `undo` takes back, when the transaction fails, what `work` did outside of the file.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work, undo)

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which changes nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._query, work)

    def close(self) -> None:
        """Finish what was asked for and close the file."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()

    def _query(self, work: Work[T]) -> T:
        try:
            return work(self._connection)
        except sqlite3.OperationalError as error:
            raise _refusal(error) from error

    def _transaction(self, work: Work[T], undo: Callable[[], None] | None) -> T:
        done = False
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            result = work(self._connection)
            self._connection.execute("COMMIT")
            done = True
        except sqlite3.OperationalError as error:
            raise _refusal(error) from error
        finally:
            if not done:
                self._roll_back(undo)
        return result

    def _roll_back(self, undo: Callable[[], None] | None) -> None:
        # SQLite rolls back by itself when the disk is full; a second ROLLBACK would be an error.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        if undo is not None:
            undo()


def _refusal(error: sqlite3.OperationalError) -> Unavailable:
    return Unavailable(f"The job store cannot be used now: {error}. Nothing was recorded.", retry_after_s=5)
