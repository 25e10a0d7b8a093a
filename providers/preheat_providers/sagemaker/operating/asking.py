"""Requests and jobs from the command line, past the front and its token: IAM decides. Runs the model.

The code is the front's own, which ships without the rest of preheat; here it runs in this process.
"""

import json
import time
from base64 import b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING

from preheat.errors import DeadlineExceeded, ProviderError
from preheat.interface.message import PROBLEM_TYPE, TIMEOUT_HEADER, Request, Response
from preheat.interface.problem import problem_response
from preheat_providers._aws.errors import translated
from preheat_providers.sagemaker.place import Place

if TYPE_CHECKING:
    from preheat_providers.sagemaker.front.exchange import Asked, Reply
    from preheat_providers.sagemaker.front.jobs import Jobs

FIRST_S, LONGEST_S = 0.5, 5.0
WAKE_S = 15 * 60.0
"""How long a job may wait for an instance beyond its own time, when an answer is waited for."""

ANSWER_BYTES = 1 << 30
ANSWER_S = 62.0
"""What a real-time answer takes at most, and its way."""


def ask(place: Place, request: Request, *, clock: Callable[[], float] = time.monotonic) -> Response:
    """Send `request` and wait for its answer; a failure is a problem document.

    Before an asynchronous endpoint it becomes a job: an instance may have to start first.
    """
    from preheat_providers.sagemaker.front.requests import Requests  # imports the AWS SDK

    if "JobsBucket" not in place.require().stack.outputs:
        client = place.session.client("sagemaker-runtime", answer_s=ANSWER_S)
        door = Requests(client, place.endpoint, None)
        return _response(door.answer, _asked("POST", "/invocations", request))
    timeout_s, jobs = _jobs(place)
    job = _submitted(jobs, request)
    read = _asked("GET", f"/jobs/{job}/result", Request(body=b"", content_type="", id=request.id))
    until = clock() + (request.timeout_s or timeout_s) + WAKE_S
    wait_s = FIRST_S
    while _waits(answer := _response(jobs.answer, read)):
        if clock() + wait_s > until:
            late = f"Job {job} has no result yet. It goes on; {place.name} may have no instance, or too few."
            return problem_response(DeadlineExceeded(late), request_id=request.id)
        place.sleep(wait_s)
        wait_s = min(LONGEST_S, wait_s * 1.5)
    return answer


def submit(place: Place, request: Request) -> str:
    """Queue `request` as a job and return its id. Raises ProviderError, also where there are no jobs."""
    if "JobsBucket" not in place.require().stack.outputs:
        raise ProviderError(
            f"{place.name} takes no jobs: its endpoint answers at once.",
            hint='mode = "async"  # in [provider.sagemaker], and deploy',
        )
    return _submitted(_jobs(place)[1], request)


def _jobs(place: Place) -> "tuple[float, Jobs]":
    """Return the time limit of a job and the front, without its token."""
    from preheat_providers.sagemaker.front.jobs import Jobs, Settings
    from preheat_providers.sagemaker.front.storage import Endpoint, Objects

    stack = place.require().stack
    timeout_s = float(place.front_variables(stack)["PREHEAT_TIMEOUT_S"])
    settings = Settings(
        bucket=stack.outputs["JobsBucket"],
        prefix=place.job_prefix(stack),
        timeout_s=timeout_s,
        token_sha256=None,
        answer_bytes=ANSWER_BYTES,
    )
    endpoint = Endpoint(place.session.client("sagemaker-runtime"), place.endpoint)
    return timeout_s, Jobs(settings, Objects(place.session.client("s3")), endpoint)


def _submitted(jobs: "Jobs", request: Request) -> str:
    answer = _response(jobs.answer, _asked("POST", "/jobs", request))
    document = json.loads(answer.body)
    if answer.status >= 400:
        raise ProviderError(str(document["detail"]))
    return str(document["id"])


def _waits(answer: Response) -> bool:
    return answer.status == 409 and "retry-after" in answer.headers


def _asked(method: str, path: str, request: Request) -> "Asked":
    from preheat_providers.sagemaker.front.exchange import Asked

    headers = {**request.headers, "content-type": request.content_type, "accept": request.accept}
    if request.timeout_s is not None:
        headers[TIMEOUT_HEADER] = f"{request.timeout_s:g}"
    return Asked(method=method, path=path, headers=headers, body=request.body, id=request.id)


def _response(answer: "Callable[[Asked], Reply]", asked: "Asked") -> Response:
    """Return what the front answers, refusals too. Raises ProviderError for what AWS refuses."""
    from preheat_providers.sagemaker.front.exchange import Refused, problem

    try:
        with translated(f"{asked.path} cannot be asked"):
            found = answer(asked)
    except Refused as refused:
        body = json.dumps(problem(refused.status, refused.detail, asked.id)).encode()
        return Response(status=refused.status, content_type=PROBLEM_TYPE, body=body, headers=refused.headers)
    text: str = found["body"]
    return Response(
        status=found["statusCode"],
        content_type=found["headers"]["content-type"],
        body=b64decode(text) if found["isBase64Encoded"] else text.encode(),
    )
