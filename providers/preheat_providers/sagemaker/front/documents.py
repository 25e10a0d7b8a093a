"""The record of a job, an object beside its input, and the document that callers get of it. Ships; pure."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from preheat_providers.sagemaker.front.exchange import JSON_TYPE, OCTETS

Status = Literal["queued", "succeeded", "failed", "cancelled"]
"""There is no `running`: SageMaker tells nobody that it has begun with a request."""

INLINE_BYTES = 1 << 20
"""Up to this size a JSON answer is in the document itself."""

_MAGIC = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x93NUMPY", "application/x-npy"),
    (b"%PDF-", "application/pdf"),
    (b"RIFF", "image/webp"),
)
_UNTYPED = ("", "binary/octet-stream", OCTETS)
"""What S3 says of an object whose writer named no type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One job. Times are seconds of the epoch; `output` and `failure` are where SageMaker writes, as s3://.

    `request` is a hash of what was sent. Uploads have the name of their `trigger` and the object, `source`.
    """

    id: str
    created: float
    expires: float
    request: str
    output: str
    failure: str
    attempts: int = 1
    cancelled: float | None = None
    trigger: str = ""
    source: dict[str, str] | None = None

    def to_json(self) -> bytes:
        """Return the object."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Record":
        """Read it."""
        return cls(**json.loads(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object of S3. `body` is None where it is larger than was asked for."""

    body: bytes | None
    bytes: int
    content_type: str
    modified: float


def media_type(found: Found) -> str:
    """Return the type of an answer: what its object says, or else what its bytes look like."""
    if found.content_type.partition(";")[0].strip().lower() not in _UNTYPED:
        return found.content_type
    if found.body is None:
        return OCTETS
    for magic, name in _MAGIC:
        if found.body.startswith(magic):
            return name
    return JSON_TYPE if holds_json(found.body) else OCTETS


def holds_json(body: bytes) -> bool:
    """Say whether a body is one JSON value."""
    try:
        json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def job_document(
    record: Record, status: Status, *, at: float | None = None, answer: Found | None = None, error: Any = None
) -> bytes:
    """Return what callers get. `at` is when the job ended; `answer` is what it came to, `error` its problem.

    A JSON answer is in it as it was sent: parsed and printed again, numbers could change.
    """
    document: dict[str, Any] = {
        "id": record.id,
        "status": status,
        "created": moment(record.created),
        "started": None,
        "finished": None if at is None else moment(at),
        "expires": moment(record.expires),
        "attempts": 0 if at is None or status == "cancelled" else record.attempts,
    }
    if error is not None:
        document["error"] = error
    if answer is None:
        return json.dumps(document).encode()
    inline = answer.body is not None and answer.bytes <= INLINE_BYTES and _says_json(media_type(answer))
    if not inline or answer.body is None or not holds_json(answer.body):
        return json.dumps({**document, "result_url": f"/jobs/{record.id}/result"}).encode()
    return json.dumps(document).encode()[:-1] + b', "result": %b}' % answer.body


def _says_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON_TYPE


def moment(at: float) -> str:
    """Return a time as RFC 3339, in UTC."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
