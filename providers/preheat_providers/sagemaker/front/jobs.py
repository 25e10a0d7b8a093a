"""POST /jobs and its kin before an asynchronous endpoint: the same API and documents as everywhere. Ships.

    inputs/ID          what was sent; removing it before an instance takes it cancels the job
    records/ID.json    the record: where SageMaker said that it will write, and whether the job was cancelled
    outputs/, failures/  what SageMaker wrote

SageMaker is not asked for the state of a request, because it tells nobody: an answer is there, or a failure,
or neither.
"""

import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from preheat_providers.sagemaker.front.client import (
    ClientError,
    code_of,
    found_wrong,
    runtime_client,
    s3_client,
)
from preheat_providers.sagemaker.front.contract import contract
from preheat_providers.sagemaker.front.documents import (
    INLINE_BYTES,
    Found,
    Record,
    job_document,
    media_type,
)
from preheat_providers.sagemaker.front.exchange import (
    ATTRIBUTES_HEADER,
    PROBLEM_TYPE,
    TIMEOUT_HEADER,
    Asked,
    Event,
    Refused,
    Reply,
    answered,
    check_body,
    check_token,
    reply,
    seconds,
)
from preheat_providers.sagemaker.front.failures import failure_document
from preheat_providers.sagemaker.front.storage import TTL_S, Call, Endpoint, Objects, split_uri

KEPT_S = 7 * 24 * 3600.0
"""The bucket of jobs removes everything after a week."""

ANSWER_BYTES = 4 << 20
"""What Lambda hands on, when all of it is base64. A larger answer is fetched from S3 itself."""

SKEW_S = 5.0
"""An answer this much older than its job is one of an earlier job of the same key."""

_ONE = re.compile(r"/jobs/(?P<id>[0-9a-f]{32})(?P<result>/result)?")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the deploy says: the bucket of jobs and its folder, the time limit, and the token's SHA-256.

    `contract` is the handler's contract document in JSON, empty where nobody could run the handler. Answers
    beyond `answer_bytes` are fetched from S3.
    """

    bucket: str
    prefix: str
    timeout_s: float
    token_sha256: str | None
    contract: str = ""
    answer_bytes: int = ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Jobs:
    """Answers requests. `now` is in seconds of the epoch."""

    settings: Settings
    objects: Objects
    endpoint: Endpoint
    now: Callable[[], float] = time.time

    def answer(self, asked: Asked) -> Reply:
        """Return the answer. Raises Refused."""
        match asked.method, asked.path:
            case "GET" | "HEAD", "/schema":
                return self._schema()
            case "GET" | "HEAD", "/ping" | "/readyz" | "/healthz":
                return reply(200)
        check_token(asked, self.settings.token_sha256)
        if asked.path == "/jobs":
            _only(asked, "POST")
            return self.submit(asked)
        one = _ONE.fullmatch(asked.path)
        if one is not None and one["result"]:
            _only(asked, "GET")
            return self.result(one["id"])
        if one is not None:
            _only(asked, "GET", "DELETE")
            return self.cancel(one["id"]) if asked.method == "DELETE" else self.read(one["id"])
        if asked.path in ("/invocations", "/predict"):
            raise Refused(501, "This endpoint answers later, and not at once. POST to /jobs instead.")
        raise Refused(404, f"There is no {asked.path} here.")

    def submit(self, asked: Asked) -> Reply:
        """Store the input and queue it: 202 when it is new, 200 when its key came with the same before."""
        check_body(asked)
        if "x-preheat-webhook" in asked.headers:
            raise Refused(501, "Webhooks are not offered here. Read the job, or set notify to have SNS tell.")
        timeout_s = seconds(asked, TIMEOUT_HEADER, self.settings.timeout_s) or self.settings.timeout_s
        ttl_s = seconds(asked, "x-preheat-ttl-s", KEPT_S)
        identity, request = job_id(asked), fingerprint(asked)
        known = self._known(identity)
        if known is not None:
            return self._again(known, request)
        where = self.settings.bucket, self._input(identity)
        metadata = self._store(where, asked.body, request, ttl_s or KEPT_S)
        call = Call(
            id=identity,
            bucket=where[0],
            key=where[1],
            content_type=asked.headers.get("content-type", ""),
            accept=asked.headers.get("accept", ""),
            attributes=asked.headers.get(ATTRIBUTES_HEADER, ""),
            timeout_s=timeout_s,
            wait_s=TTL_S[1] if ttl_s is None else ttl_s,
        )
        # Another submit of the same key may have taken the input up, and be accepted.
        shared = "idempotency-key" in asked.headers
        output, failure = self._send(call, shared=shared)
        record = Record(
            id=identity,
            created=float(metadata["created"]),
            expires=float(metadata["expires"]),
            request=request,
            output=output,
            failure=failure,
        )
        if not self.objects.put_new(self.settings.bucket, self._record(identity), record.to_json()):
            known = self._known(identity)
            if known is not None:  # of another submit of the same key, and maybe cancelled since
                return self._again(known, request)
            self._keep(record)
        return _document(job_document(record, "queued"), status=202, location=f"/jobs/{identity}")

    def read(self, identity: str) -> Reply:
        """Answer with the job as far as it can be known."""
        return _document(self._state(self._found(identity)))

    def cancel(self, identity: str) -> Reply:
        """Take the input away unless the job has ended. What an instance has begun with goes on, unheard."""
        record = self._found(identity)
        if record.cancelled is None and self._output(record, 0) is None and self._failure(record) is None:
            record = replace(record, cancelled=self.now())
            self._keep(record)
            self.objects.remove(self.settings.bucket, self._input(identity))
        return _document(self._state(record))

    def result(self, identity: str) -> Reply:
        """Answer as the handler answered; what is too large for Lambda is fetched from S3."""
        record = self._found(identity)
        output = None if record.cancelled is not None else self._output(record, self.settings.answer_bytes)
        if output is not None and output.body is not None:
            return reply(200, output.body, media_type(output))
        if output is not None:
            return reply(303, location=self.objects.link(*split_uri(record.output)))
        error = None if record.cancelled is not None else self._failure(record)
        if error is None:
            status = "queued" if record.cancelled is None else "cancelled"
            again = {"retry_after": "1"} if record.cancelled is None else {}
            raise Refused(409, f"Job {identity} is {status} and has no result.", **again)
        problem = failure_document(error.body or b"", identity)
        return reply(int(problem["status"]), json.dumps(problem).encode(), PROBLEM_TYPE)

    def _state(self, record: Record) -> bytes:
        if record.cancelled is not None:
            return job_document(record, "cancelled", at=record.cancelled)
        output = self._output(record, INLINE_BYTES)
        if output is not None:
            return job_document(record, "succeeded", at=output.modified, answer=output)
        error = self._failure(record)
        if error is not None:
            problem = failure_document(error.body or b"", record.id)
            return job_document(record, "failed", at=error.modified, error=problem)
        return job_document(record, "queued")

    def _again(self, record: Record, request: str) -> Reply:
        if record.request != request:
            raise _used_before()
        return _document(self._state(record), location=f"/jobs/{record.id}")

    def _store(self, where: tuple[str, str], body: bytes, request: str, ttl_s: float) -> Mapping[str, str]:
        """Write the input; return its metadata, that of a submit which was cut off if there was one."""
        now = self.now()
        metadata = {"request": request, "created": repr(now), "expires": repr(now + ttl_s)}
        if self.objects.put_new(*where, body, metadata=metadata):
            return metadata
        there = self.objects.metadata(*where)
        if float(there.get("expires", 0)) <= now:
            self.objects.put(*where, body, metadata=metadata)
            return metadata
        if there["request"] != request:
            raise _used_before()
        return there

    def _send(self, call: Call, *, shared: bool) -> tuple[str, str]:
        try:
            return self.endpoint.send(call)
        except ClientError as error:
            if not shared:
                self.objects.remove(call.bucket, call.key)
            if (said := found_wrong(error)) is not None:
                raise Refused(400, f"SageMaker refuses the request: {said}") from error
            raise Refused(503, f"SageMaker takes no job now: {code_of(error)}.", retry_after="5") from error

    def _schema(self) -> Reply:
        if not self.settings.contract:
            raise Refused(501, "The handler was not run where it was built, so its contract is not known.")
        return reply(200, self.settings.contract.encode())

    def _found(self, identity: str) -> Record:
        record = self._known(identity)
        if record is None or record.trigger:
            raise Refused(404, f"There is no job {identity}. It never was, or it has expired.")
        return record

    def _known(self, identity: str) -> Record | None:
        found = self.objects.get(self.settings.bucket, self._record(identity), INLINE_BYTES)
        record = Record.from_json(found.body) if found is not None and found.body is not None else None
        if record is None or record.expires <= self.now():
            return None
        return record

    def _output(self, record: Record, most: int) -> Found | None:
        return self._since(record, self.objects.get(*split_uri(record.output), most))

    def _failure(self, record: Record) -> Found | None:
        if not record.failure:
            return None
        return self._since(record, self.objects.get(*split_uri(record.failure), INLINE_BYTES))

    def _since(self, record: Record, found: Found | None) -> Found | None:
        return found if found is not None and found.modified >= record.created - SKEW_S else None

    def _keep(self, record: Record) -> None:
        self.objects.put(self.settings.bucket, self._record(record.id), record.to_json())

    def _input(self, identity: str) -> str:
        return f"{self.settings.prefix}inputs/{identity}"

    def _record(self, identity: str) -> str:
        return f"{self.settings.prefix}records/{identity}.json"


def job_id(asked: Asked) -> str:
    """Return 32 hex digits: those of the idempotency key, or new ones. Raises Refused."""
    key = asked.headers.get("idempotency-key")
    if key is None:
        return uuid.uuid4().hex
    if not _KEY.fullmatch(key):
        raise Refused(400, f"idempotency-key is {key!r}. Send 1 to 255 visible ASCII characters.")
    return hashlib.sha256(f"job\0{key}".encode()).hexdigest()[:32]


def fingerprint(asked: Asked) -> str:
    """Return what is equal for equal requests."""
    parts = asked.headers.get("content-type", ""), asked.headers.get("accept", "")
    return hashlib.sha256("\0".join(parts).encode() + b"\0" + asked.body).hexdigest()


def _document(body: bytes, *, status: int = 200, **headers: str) -> Reply:
    return reply(status, body, cache_control="no-store", **headers)


def _used_before() -> Refused:
    return Refused(409, "This idempotency key came with another request before.")


def _only(asked: Asked, *methods: str) -> None:
    if asked.method not in methods:
        allowed = ", ".join(methods)
        raise Refused(405, f"{asked.path} takes {allowed}, not {asked.method}.", allow=allowed)


@cache
def _jobs() -> Jobs:
    return Jobs(
        Settings(
            bucket=os.environ["PREHEAT_BUCKET"],
            prefix=os.environ["PREHEAT_PREFIX"],
            timeout_s=float(os.environ["PREHEAT_TIMEOUT_S"]),
            token_sha256=os.environ.get("PREHEAT_TOKEN_SHA256"),
            contract=contract(),
        ),
        Objects(s3_client()),
        Endpoint(runtime_client(), os.environ["PREHEAT_ENDPOINT"]),
    )


def handler(event: Event, _context: object) -> Reply:
    """Answer one call of the Function URL."""
    return answered(event, _jobs().answer)
