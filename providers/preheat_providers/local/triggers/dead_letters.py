"""Deliveries that failed for good: one JSON document each, in a folder per function and trigger."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from preheat.interface.message import Request
from preheat_providers.local.jobs import Claim, Clock, Delivery, write_atomically

_FOLDER = "dead-letters"


def dead_letter_folder(home: Path, function: str) -> Path:
    """Return where the dead letters of `function` (`name@stage`) are."""
    return home / _FOLDER / function


def sweep_dead_letters(home: Path) -> None:
    """Remove what a kill left of documents that were being written; their deliveries run again.

    Nothing may run yet: a document that is being written looks the same.
    """
    for path in (home / _FOLDER).glob("*/*/.*.tmp"):
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that is none, and why; it is left where it is."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One document: the row and attempt that it is of, and what to queue if the row is no longer kept."""

    path: Path
    job_id: str
    attempt: int
    delivery: Delivery


class DeadLetters:
    """The dead letters of one function."""

    def __init__(self, home: Path, function: str, *, clock: Clock) -> None:
        self._folder = dead_letter_folder(home, function)
        self._function = function
        self._clock = clock

    def keep(self, claim: Claim, reason: Mapping[str, Any]) -> None:
        """Write a delivery and why it failed. The same attempt gives the same file. Raises OSError."""
        source = dict(claim.source or {})
        document = {
            "id": claim.id,
            "attempt": claim.attempt,
            "function": self._function,
            "trigger": source["trigger"],
            "time": self._now(),
            "attempts": claim.failures + 1,
            "max_attempts": claim.max_attempts,
            "reason": dict(reason),
            "event": source.pop("event", None),
            "source": source,
            "sink": claim.sink,
            "request": _request_document(claim.request),
        }
        self._write(source["trigger"], f"{claim.id}-{claim.attempt}", document)

    def keep_message(self, trigger: str, message_id: str, body: str, reason: str) -> None:
        """Write a queue's message that is no event; `letters` passes over it. Raises OSError."""
        name = hashlib.sha256(message_id.encode()).hexdigest()[:32]
        document = {"function": self._function, "trigger": trigger, "time": self._now(), "message": body}
        self._write(trigger, f"message-{name}", document | {"reason": {"status": 400, "detail": reason}})

    def letters(self) -> Iterator[Letter | Unreadable]:
        """Yield what can be run again, oldest first; runs on a thread."""
        for path in sorted(self._folder.glob("*/*.json"), key=lambda path: path.name):
            if path.name.startswith("message-"):
                continue
            try:
                yield _read(path)
            except (OSError, ValueError, KeyError, TypeError) as error:
                yield Unreadable(path, repr(error))

    def remove(self, letter: Letter) -> None:
        """Remove a document that is queued again."""
        letter.path.unlink(missing_ok=True)

    def _write(self, trigger: str, name: str, document: Mapping[str, Any]) -> None:
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        write_atomically(self._folder / trigger / f"{name}.json", text.encode())

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")


def _request_document(request: Request) -> dict[str, str]:
    return {"content_type": request.content_type, "body_base64": base64.b64encode(request.body).decode()}


def _read(path: Path) -> Letter:
    document = json.loads(path.read_bytes())
    source = document["source"]
    if document["event"] is not None:
        source = {**source, "event": document["event"]}
    request = document["request"]
    delivery = Delivery(
        key=f"replay:{document['id']}-{document['attempt']}",
        request=Request(
            id="", body=base64.b64decode(request["body_base64"]), content_type=request["content_type"]
        ),
        source=source,
        sink=document["sink"],
        attempts=document["max_attempts"],
    )
    return Letter(path, document["id"], document["attempt"], delivery)
