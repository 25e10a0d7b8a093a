"""Requests by Modal's own credentials, past the endpoint and its token. Runs the function."""

import asyncio
import re
from typing import Any

from preheat.errors import DeadlineExceeded, ProviderError, RequestError, WorkerDied
from preheat.interface.message import TIMEOUT_HEADER, Request, Response
from preheat.interface.problem import problem_response
from preheat_providers.modal.errors import kinds_of, refusal, translated
from preheat_providers.modal.names import jobs_dict
from preheat_providers.modal.place import Place
from preheat_providers.modal.shipped.jobs.records import response_of

PLATFORM = frozenset(
    {"AuthError", "PermissionDeniedError", "ConnectionError", "VersionError", "NotFoundError"}
)
"""What says nothing of the function: Modal was not asked, or did not let us."""
OURS = re.compile(r"^preheat[\w.]*\.\w+: ")
"""The class of an error of ours, as a traceback has it."""


def ask(place: Place, request: Request) -> Response:
    """Send `request` and return the answer; a failure of the container is a problem document.

    Raises NotDeployed, and ProviderError for what Modal refuses.
    """
    model: Any = place.model()
    from modal.exception import Error

    try:
        return response_of(model.answer.remote(asked(request)))
    except Error as error:
        kinds = kinds_of(type(error))
        if kinds[0] == "NotFoundError":
            raise place.missing() from error
        if kinds[0] in PLATFORM:
            raise refusal(f"{place.app} cannot be called", kinds, str(error)) from error
        return problem_response(_failure(kinds, str(error)), request_id=request.id)


def submit(place: Place, request: Request) -> str:
    """Queue `request` as the function does it for POST /jobs; return the job's id. Raises ProviderError."""
    place.require()
    model: Any = place.model()
    from modal import Dict

    from preheat_providers.modal.shipped.jobs.client import ModalCalls, ModalEntries
    from preheat_providers.modal.shipped.jobs.queue import JobQueue

    name, what = jobs_dict(place.app), f"no job can be queued for {place.app}"
    with translated(what):
        kept = Dict.from_name(name, environment_name=place.environment or None, create_if_missing=True)
        kept.hydrate(place.client.modal)
        queue = JobQueue(ModalEntries(kept), ModalCalls(model.run_job.spawn))
        try:
            job, _ = asyncio.run(queue.submit(request, idempotency_key=None, webhook=None, ttl_s=None))
        except RequestError as error:
            raise ProviderError(f"On Modal, {what}: {error.message}") from error
    return job.id


def asked(request: Request) -> dict[str, Any]:
    """Return `request` as a call carries it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"x-request-id": request.id, "content-type": request.content_type, "accept": request.accept}
    if request.timeout_s is not None:
        headers[TIMEOUT_HEADER] = f"{request.timeout_s:g}"
    return {"body": request.body, "headers": headers}


def _failure(kinds: tuple[str, ...], said: str) -> RequestError:
    """Return what it means that Modal, and not the function, ended a call."""
    if "TimeoutError" in kinds:
        return DeadlineExceeded(f"Modal ended the call when its time was up: {said}")
    return WorkerDied(f"The container ended before it answered: {_cause(said)}")


def _cause(said: str) -> str:
    """Return what a remote traceback ends with, which says why; the rest is in the log."""
    lines = said.strip().splitlines() or [""]
    return OURS.sub("", lines[-1])
