"""Errors of AWS as it words them, one at least for each that we explain: aws_errors.json.

Account numbers and names are replaced. `source` is where the words were seen; without one they are those
of the service as we know them, or of botocore itself, and were not seen again when the list was made.
"""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Recorded:
    """One message; `name` is that of the known error, `says` stands in its meaning or its fix."""

    name: str
    message: str
    says: str
    code: str | None = None
    source: str | None = None


RECORDED = tuple(Recorded(**each) for each in json.loads(Path(__file__).with_suffix(".json").read_text()))


def handler(message: str, code: str = "InvalidRequest") -> str:
    """Return `message` as the reason of a stack event has it."""
    return (
        f'Resource handler returned message: "{message} (Service: Lambda, Status Code: 400,'
        ' Request ID: 1daa3d08-4483-4f5d-8624-4f0b8e1ee7c6) (SDK Attempt Count: 1)"'
        f" (RequestToken: d16dfc84-3aaa-9b6c-6a73-d9bae400b02f, HandlerErrorCode: {code})"
    )
