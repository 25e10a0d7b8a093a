"""An app's log, oldest event first. Asks Modal."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from preheat.errors import ProviderError
from preheat_providers.modal.client import Client
from preheat_providers.modal.operating.log_lines import Event, events_of

RECENT_S = 24 * 3600.0
"""How far back `logs` looks."""
AT_ONCE = 1000
"""The most entries that one question fetches: a client's own `modal app logs` asks for so many."""
MOST = 10_000
"""Entries of the last day that are looked through: a busy app writes more than anybody waits for."""
STREAM_S = 55.0
"""How long Modal keeps one stream open; the next begins where it ended."""


class AppLog:
    """The log of the app with this id. `now` is in seconds of the epoch."""

    def __init__(
        self,
        client: Client,
        app_id: str,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._app_id = app_id
        self._now = now
        self._sleep = sleep

    def recent(self, *, search: str = "", most: int = MOST) -> list[Event]:
        """Return the newest events of the last day, `most` at most, of lines that contain `search`."""
        since, until = self._now() - RECENT_S, self._now()
        batches: list[Any] = []
        found = 0
        while found < most:
            page = self._page(since, until, search)
            entries = sum(len(batch.items) for batch in page)
            batches[:0] = page
            found += entries
            if entries < AT_ONCE:
                break
            earliest = min(item.timestamp for batch in page for item in batch.items)
            if earliest >= until:  # a page of one moment: what is before it cannot be told apart
                break
            until = earliest
        events = [event for batch in batches for event in events_of(batch)]
        return sorted(events, key=lambda event: str(event["time"]))

    def follow(self) -> Iterator[Event]:
        """Yield the events of the last day, and for ever those that come, until the app is stopped."""
        last = ""
        what = "the log cannot be followed"
        failures = 0
        while True:
            try:
                for batch in self._client.stream(
                    "AppGetLogs", what=what, app_id=self._app_id, timeout=STREAM_S, last_entry_id=last
                ):
                    failures = 0
                    last = batch.entry_id or last
                    yield from events_of(batch)
                    if batch.app_done:
                        return
            except ProviderError:
                failures += 1
                if failures > RETRIES:
                    raise
                self._sleep(float(failures))

    def _page(self, since: float, until: float, search: str) -> list[Any]:
        answer = self._client.ask(
            "AppFetchLogs",
            what="the log cannot be read",
            app_id=self._app_id,
            since=_moment(since),
            until=_moment(until),
            limit=AT_ONCE,
            search_text=search,
        )
        return list(answer.batches)


RETRIES = 5
"""Streams that may fail one after the other before the failure is told."""


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
