"""The log of one function: a JSON object a line in one file, and the same objects to whoever follows."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from preheat.runtime.log import event_line
from preheat_providers.local.supervisor.rotation import RotatedFile

Level = Literal["debug", "info", "warning", "error"]
Log = Callable[..., None]
"""`log(level, event, message, **fields)`."""

logger = logging.getLogger("preheat.supervisor")

ROTATE_BYTES = 10 * 1024 * 1024
FOLLOWER_LINES = 10_000
LONGEST_TEXT = 8_000
SHORTEST_SECRET = 4
SHORTEST_SECRET_LINE = 8
"""In characters: what is shorter would eat ordinary text, and a line such as `}` tells nothing."""


class FunctionLog:
    """Appends events, rotates the file once it is large (one old file is kept), and feeds followers."""

    def __init__(
        self, path: Path, *, now: Callable[[], datetime] | None = None, rotate_bytes: int = ROTATE_BYTES
    ) -> None:
        self._file = RotatedFile(path, rotate_bytes)
        self._now = now or (lambda: datetime.now(UTC))
        self._followers: set[asyncio.Queue[str | None]] = set()
        self._secrets: tuple[str, ...] = ()

    def hide(self, secrets: Mapping[str, str]) -> None:
        """Replace these values, and each line of those with several, wherever they appear in an event."""
        known = {form for value in secrets.values() for form in _forms(value)}
        self._secrets = tuple(sorted(known | set(self._secrets), key=len, reverse=True))

    def write(self, /, level: Level, event: str, message: str, **fields: Any) -> None:
        """Record one event."""
        time = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {"time": time, "level": level, "event": event, "message": self._clean(message)}
        record |= {key: self._clean(value) for key, value in fields.items() if value is not None}
        line = event_line(record) + "\n"
        try:
            self._file.append(line.encode())
        except OSError as error:  # such as a full disk: requests matter more than their log
            logger.error("cannot write %s: %s", self._file.path, error)
        for follower in self._followers:
            if follower.qsize() < FOLLOWER_LINES:
                follower.put_nowait(line)

    def output(self, worker: str, text: str) -> None:
        """Record one line that a worker printed; a JSON object keeps its own level, event and fields."""
        try:
            record = json.loads(text) if text.startswith("{") else None
        except ValueError:
            record = None
        if isinstance(record, dict) and isinstance(record.get("message"), str):
            level = record.pop("level", "info")
            event = self._clean(str(record.pop("event", "output")))
            message = record.pop("message")
            extra = {self._clean(key): record[key] for key in record if key not in ("time", "worker")}
            self.write(
                level if level in ("debug", "info", "warning", "error") else "info",
                event,
                message,
                worker=worker,
                **extra,
            )
        elif text:
            self.write("info", "output", text, worker=worker)

    def lines(self) -> Iterator[str]:
        """Yield what the files hold, oldest first."""
        return self._file.lines()

    def follow(self) -> "asyncio.Queue[str | None]":
        """Return a queue that gets every event from now on, and None when the log is removed."""
        follower: asyncio.Queue[str | None] = asyncio.Queue()
        self._followers.add(follower)
        return follower

    def unfollow(self, follower: "asyncio.Queue[str | None]") -> None:
        """Stop feeding `follower`."""
        self._followers.discard(follower)

    def close(self) -> None:
        """Close the file and end every follower."""
        self._file.close()
        for follower in self._followers:
            follower.put_nowait(None)

    def remove(self) -> tuple[Path, ...]:
        """Close and delete the files; return those that there were."""
        self.close()
        return self._file.remove()

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, "***")
            return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + " [cut]"
        if isinstance(value, Mapping):
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(item) for item in value]
        return value


def _forms(secret: str) -> Iterator[str]:
    """Yield what shows `secret`: itself, its lines (output comes line by line), and each as JSON has it."""
    texts = [secret.strip()] if len(secret.strip()) >= SHORTEST_SECRET else []
    lines = [line.strip() for line in secret.splitlines()]
    texts += [line for line in lines if len(line) >= SHORTEST_SECRET_LINE]
    for text in texts:
        yield from (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
