"""/jobs: asynchronous inference over the provider's durable queue."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from preheat.errors import BadInput, Conflicting, NotOffered
from preheat.interface.manifest import Limits
from preheat.interface.message import JSON_TYPE, PROBLEM_TYPE
from preheat.interface.message import Response as Answer
from preheat.runtime.jobs import Job, Jobs
from preheat.runtime.requests import TTL_HEADER, WEBHOOK_HEADER, inference, seconds
from preheat.runtime.surface.incoming import incoming, read_body
from preheat.runtime.surface.outgoing import send_response
from preheat.runtime.telemetry import exchange_of

ROUTE = "/jobs"
IDEMPOTENCY_HEADER = "idempotency-key"
LONGEST_TTL_S = 30 * 24 * 3600

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class JobRoutes:
    """The handlers of /jobs. `jobs` is None where the provider keeps no queue, and every route says so."""

    def __init__(self, *, jobs: Jobs | None, limits: Limits, body_s: float) -> None:
        self._kept = jobs
        self._limits = limits
        self._body_s = body_s

    def routes(self, guards: Sequence[Depends]) -> list[APIRoute]:
        """Return the routes, each behind `guards`."""
        one = f"{ROUTE}/{{job_id}}"
        return [
            APIRoute(ROUTE, self.submit, methods=["POST"], dependencies=guards),
            APIRoute(one, self.read, methods=["GET"], dependencies=guards),
            APIRoute(one, self.cancel, methods=["DELETE"], dependencies=guards),
            APIRoute(f"{one}/result", self.result, methods=["GET"], dependencies=guards),
        ]

    async def submit(self, request: Request) -> Response:
        """Record a job: 202 when it is new, 200 when its idempotency key came with the same before."""
        exchange = exchange_of(request.scope)
        exchange.enter(ROUTE, request.scope)
        jobs = self._jobs()
        found = incoming(request.scope)
        key, webhook = _idempotency_key(found.headers), _webhook(found.headers)
        ttl_s = _ttl_s(found.headers)
        body = await read_body(
            request.receive, found.headers, limit=self._limits.body_bytes, within_s=self._body_s
        )
        exchange.bytes_in = len(body)
        asked = exchange.propagate(inference(found, body, self._limits))
        job, new = await jobs.submit(asked, idempotency_key=key, webhook=webhook, ttl_s=ttl_s)
        return self._document(request, job, status=202 if new else 200)

    async def read(self, request: Request, job_id: str) -> Response:
        """Answer with the job as it is now."""
        return self._document(request, await self._jobs().get(job_id))

    async def cancel(self, request: Request, job_id: str) -> Response:
        """Cancel the job unless it has finished, and answer with what it is now."""
        return self._document(request, await self._jobs().cancel(job_id))

    async def result(self, job_id: str) -> Response:
        """Answer as the handler answered: its status, media type and bytes."""
        job = await self._jobs().get(job_id)
        if job.response is None:
            raise Conflicting(
                f"Job {job.id} is {job.status} and has no result.",
                retry_after_s=1 if job.status in ("queued", "running") else None,
            )
        return _Recorded(job.response)

    def _document(self, request: Request, job: Job, *, status: int = 200) -> Response:
        url = f"{request.scope.get('root_path', '')}{ROUTE}/{job.id}"
        headers = {"cache-control": "no-store"} | ({"location": url} if request.method == "POST" else {})
        return Response(job_document(job, url), status, headers, JSON_TYPE)

    def _jobs(self) -> Jobs:
        if self._kept is None:
            raise NotOffered("This deployment takes no jobs. POST to /invocations instead.")
        return self._kept


class _Recorded(Response):
    """Sends an answer of the engine as it was recorded."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send_response(self._answer, send)


def job_document(job: Job, url: str) -> bytes:
    """Return as JSON what /jobs says of `job`; a JSON answer is in it, any other is behind `result_url`."""
    document = {
        "id": job.id,
        "status": job.status,
        "created": _rfc3339(job.created),
        "started": _rfc3339(job.started),
        "finished": _rfc3339(job.finished),
        "expires": _rfc3339(job.expires),
        "attempts": job.attempts,
    }
    if job.response is None:
        return json.dumps(document).encode()
    if not _is_json(job.response):
        return json.dumps(document | {"result_url": f"{url}/result"}).encode()
    # The recorded bytes go in as they are: parsed and printed again, numbers could change.
    name = b"error" if job.response.status >= 400 else b"result"
    return json.dumps(document).encode()[:-1] + b', "%b": %b}' % (name, job.response.body)


def _is_json(answer: Answer) -> bool:
    if answer.content_type.partition(";")[0].strip().lower() not in (JSON_TYPE, PROBLEM_TYPE):
        return False
    try:
        json.loads(answer.body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _rfc3339(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _idempotency_key(headers: Mapping[str, str]) -> str | None:
    key = headers.get(IDEMPOTENCY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise BadInput(f"{IDEMPOTENCY_HEADER} is {key!r}. Send 1 to 255 visible ASCII characters.")
    return key


def _ttl_s(headers: Mapping[str, str]) -> float | None:
    ttl_s = seconds(headers, TTL_HEADER)
    if ttl_s is not None and ttl_s > LONGEST_TTL_S:
        raise BadInput(f"{TTL_HEADER} is {ttl_s:g}. The longest is {LONGEST_TTL_S} (30 days).")
    return ttl_s


def _webhook(headers: Mapping[str, str]) -> str | None:
    url = headers.get(WEBHOOK_HEADER)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii()
    except ValueError:
        valid = False
    if not valid:
        raise BadInput(f"{WEBHOOK_HEADER} is {url!r}. Send an http or https URL.")
    return url
