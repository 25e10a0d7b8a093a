"""What is left of a request that failed, as a problem document. Ships; pure.

SageMaker puts what the container answered into a sentence of its own, as InvokeEndpoint shows it: `Received
server error (500) from primary with message "...". See https://... for more information.` What it writes to
S3FailurePath is not specified, so the container's own document is read, and the sentence around it, and text.
"""

import json
import re
from typing import Any

from preheat_providers.sagemaker.front.exchange import problem

SENTENCE = re.compile(
    r'Received (?:client|server) error \((?P<status>\d{3})\) from .{0,200}? with message "(?P<message>.*)"\.?'
    r"(?: See .*)?\s*$",
    re.DOTALL,
)
QUOTED = 2000
_LATE = ("timed out", "timeout", "time out", "expired")
GONE = ("NoSuchKey", "Not Found", "does not exist")
_DENIED = ("AccessDenied", "Access Denied", "Forbidden")


def failure_document(text: bytes, job_id: str) -> dict[str, Any]:
    """Return the problem that `text`, the object of a failure, tells of."""
    said = text.decode(errors="replace")
    found = SENTENCE.search(said)
    inner, status = (found["message"], int(found["status"])) if found else (said, None)
    document = _document(inner) or _document(inner.replace('\\"', '"'))
    if document is not None:
        return document
    return problem(status or _status(inner), inner[:QUOTED].strip() or "SageMaker gives no reason.", job_id)


def _document(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    status = document.get("status") if isinstance(document, dict) else None
    return document if isinstance(status, int) and 400 <= status < 600 else None


def _status(text: str) -> int:
    if any(word in text.lower() for word in _LATE):
        return 504
    if any(word in text for word in _DENIED):
        return 403
    return 404 if any(word in text for word in GONE) else 502
