"""What SageMaker tells a topic of a request, in the shape that its users have recorded.

awslabs/osml-model-runner, for one, reads messages with these fields; AWS's own pages name the topics and show
no message. Read on 2026-11-21.
"""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from tests.fakes.sagemaker.invocation import AsyncConfig, Invocation

INCLUDED_BYTES = 128 * 1024
"""Answers above it are left out of a notification:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceNotificationConfig.html"""


def succeeded(
    asked: Invocation, config: AsyncConfig, content_type: str, body: bytes, *, endpoint: str, now: float
) -> str:
    """Return the message of an answer."""
    parameters = {"contentType": content_type, "outputLocation": config.output_of(asked)}
    message = _message(asked, endpoint, now) | {
        "invocationStatus": "Completed",
        "responseParameters": parameters,
    }
    return json.dumps(message | _included(config, "SUCCESS_NOTIFICATION_TOPIC", body))


def failed(
    asked: Invocation, config: AsyncConfig, reason: str, body: bytes, *, endpoint: str, now: float
) -> str:
    """Return the message of a failure, whose object holds `body`."""
    message = _message(asked, endpoint, now) | {"invocationStatus": "Failed", "failureReason": reason}
    if (location := config.failure_of(asked)) is not None:
        message["responseParameters"] = {"outputLocation": location}
    return json.dumps(message | _included(config, "ERROR_NOTIFICATION_TOPIC", body))


def _message(asked: Invocation, endpoint: str, now: float) -> dict[str, Any]:
    given = {
        "accept": asked.accept,
        "contentType": asked.content_type,
        "customAttributes": asked.attributes,
        "endpointName": endpoint,
        "inputLocation": asked.input,
    }
    return {
        "awsRegion": "us-east-1",
        "eventTime": _time(now),
        "receivedTime": _time(asked.created),
        "requestParameters": {name: value for name, value in given.items() if value is not None},
        "inferenceId": asked.id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _included(config: AsyncConfig, topic: str, body: bytes) -> dict[str, Any]:
    if topic not in config.included or len(body) > INCLUDED_BYTES:
        return {}
    return {"responseBody": {"content": b64encode(body).decode(), "encoding": "BASE64"}}


def _time(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
