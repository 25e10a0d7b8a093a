"""POST /invocations before a real-time or serverless endpoint: one inference, now. Ships."""

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from preheat_providers.sagemaker.front.client import (
    ClientError,
    ReadTimeoutError,
    code_of,
    found_wrong,
    runtime_client,
)
from preheat_providers.sagemaker.front.contract import contract
from preheat_providers.sagemaker.front.exchange import (
    ATTRIBUTES_HEADER,
    PROBLEM_TYPE,
    REQUEST_BYTES,
    Asked,
    Event,
    Refused,
    Reply,
    answered,
    check_body,
    check_token,
    reply,
)

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

ROUTES = ("/invocations", "/predict")
ANSWER_S = 62.0
"""A real-time request may take 60 s:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""

REFUSALS = {
    "ThrottlingException": (429, "SageMaker holds requests back."),
    "ModelNotReadyException": (503, "The model is not ready yet."),
    "ServiceUnavailable": (503, "SageMaker is not available."),
    "InternalFailure": (503, "SageMaker failed."),
    "InternalDependencyException": (503, "SageMaker failed."),
    "ValidationError": (503, "The endpoint takes nothing now."),
}


@dataclass(frozen=True, slots=True)
class Requests:
    """Answers requests of up to `body_bytes` by the endpoint called `endpoint`."""

    client: "SageMakerRuntimeClient"
    endpoint: str
    token_sha256: str | None
    contract: str = ""
    body_bytes: int = REQUEST_BYTES

    def answer(self, asked: Asked) -> Reply:
        """Return the answer. Raises Refused."""
        match asked.method, asked.path:
            case "GET" | "HEAD", "/ping" | "/readyz" | "/healthz":
                return reply(200)
            case "GET" | "HEAD", "/schema" if self.contract:
                return reply(200, self.contract.encode())
        check_token(asked, self.token_sha256)
        if asked.path not in ROUTES:
            status = 501 if asked.path.startswith("/jobs") else 404
            raise Refused(status, f"There is no {asked.path} here. POST to /invocations.")
        if asked.method != "POST":
            raise Refused(405, f"{asked.path} takes POST, not {asked.method}.", allow="POST")
        check_body(asked, most=self.body_bytes)
        return self._invoke(asked)

    def _invoke(self, asked: Asked) -> Reply:
        given: dict[str, Any] = {
            "ContentType": asked.headers.get("content-type", ""),
            "Accept": asked.headers.get("accept", ""),
            "CustomAttributes": asked.headers.get(ATTRIBUTES_HEADER, ""),
            "InferenceId": asked.id[:64],
        }
        try:
            found = self.client.invoke_endpoint(
                EndpointName=self.endpoint,
                Body=asked.body,
                **{name: value for name, value in given.items() if value},
            )
        except ReadTimeoutError as error:
            raise Refused(504, "The model did not answer within 60 s.") from error
        except ClientError as error:
            return _failed(error)
        with found["Body"] as stream:
            return reply(200, stream.read(), found.get("ContentType") or "application/octet-stream")


def _failed(error: ClientError) -> Reply:
    """Return what the model answered; raise Refused where it was SageMaker that refused."""
    said: Any = error.response
    status, text = said.get("OriginalStatusCode"), said.get("OriginalMessage", "")
    if status is not None and text.lstrip().startswith("{"):
        return reply(status, text.encode(), PROBLEM_TYPE)
    if status is not None:
        raise Refused(status if status >= 400 else 502, text or "The model failed.") from error
    if (wrong := found_wrong(error)) is not None:
        raise Refused(400, f"SageMaker refuses the request: {wrong}") from error
    code = code_of(error)
    held, detail = REFUSALS.get(code, (502, "SageMaker refused the request."))
    raise Refused(
        held, f"{detail} ({code})", **({"retry_after": "1"} if held in (429, 503) else {})
    ) from error


@cache
def _requests() -> Requests:
    return Requests(
        runtime_client(answer_s=ANSWER_S),
        os.environ["PREHEAT_ENDPOINT"],
        os.environ.get("PREHEAT_TOKEN_SHA256"),
        contract(),
        int(os.environ.get("PREHEAT_BODY_BYTES", REQUEST_BYTES)),
    )


def handler(event: Event, _context: object) -> Reply:
    """Answer one call of the Function URL."""
    return answered(event, _requests().answer)
