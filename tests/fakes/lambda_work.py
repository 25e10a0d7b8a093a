"""What runs without a request, over an engine, a bucket and a memory of the test's own."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.lambda_events import Event, s3_record

from preheat.errors import BadInput, HandlerFailed, NotFound
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.storage import Superseded, check_size
from preheat_providers.aws_lambda.shipped.context import LambdaContext
from preheat_providers.aws_lambda.shipped.events.once import Outcome, Work


@dataclass
class Bucket:
    """Objects by bucket and key. `on_read` runs after each read, when the object may change."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    types: dict[tuple[str, str], str] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    on_read: Callable[[], None] = lambda: None

    def put(self, bucket: str, key: str, body: bytes, *, sequencer: str = "0A") -> Event:
        """Put an object, and return the record of S3's notification."""
        self.objects[bucket, key] = body
        return s3_record(bucket, key, etag=_etag(body), size=len(body), sequencer=sequencer)

    def read(self, record: ObjectRecord, limit: int) -> bytes:
        check_size(record, record.size, limit)
        self.reads.append(record.key)
        body = self.objects.get((record.bucket, record.key))
        if body is None:
            raise NotFound(f"The object {record.key!r} was deleted before it was read.")
        if _etag(body) != record.etag:
            raise Superseded(record)
        self.on_read()
        return body

    def current(self, record: ObjectRecord) -> bool:
        body = self.objects.get((record.bucket, record.key))
        return body is None or _etag(body) == record.etag

    def write(self, bucket: str, key: str, body: bytes, media_type: str) -> None:
        self.objects[bucket, key] = body
        self.types[bucket, key] = media_type


def _etag(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


class Remembered:
    """Once, over a dictionary."""

    def __init__(self) -> None:
        self.done: dict[str, Outcome] = {}

    def do(self, identity: Mapping[str, str], work: Work, context: LambdaContext) -> tuple[Outcome, bool]:
        key = json.dumps(identity, sort_keys=True)
        if key in self.done:
            return self.done[key], False
        self.done[key] = outcome = work()
        return outcome, True


class Told:
    """A report as a list."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def done(self, what: str, outcome: Outcome, model_ms: float) -> None:
        self.lines.append(("done", what))

    def again(self, what: str) -> None:
        self.lines.append(("again", what))

    def skipped(self, what: str, why: str) -> None:
        self.lines.append(("skipped", f"{what}: {why}"))

    def failed(self, what: str, error: Exception) -> None:
        self.lines.append(("failed", f"{what}: {error}"))

    def kinds(self) -> list[str]:
        """Return what happened, in order."""
        return [kind for kind, _ in self.lines]


class Length:
    """An engine that answers with the length of the body; `poison` fails, `bad` is refused."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if request.body == b"poison":
            return problem_response(HandlerFailed("It failed."), request_id=request.id)
        if request.body == b"bad":
            return problem_response(BadInput("Not this one."), request_id=request.id)
        return Response(body=b"%d" % len(request.body), model_ms=1.0, batch_size=1)


def result(bucket: Bucket, name: str, key: str) -> Any:
    """Return the result document of an upload."""
    return json.loads(bucket.objects[name, key])
