"""The event that runs a job: what a submit hands to Lambda, and what the function is given. Pure."""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from preheat.interface.message import Request
from preheat_providers.aws_lambda.shipped.shapes import JOB, UnknownEvent

LARGEST_CALL = 1_000_000
"""In bytes, below the 1 MB that Lambda takes of an asynchronous call:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, read on 2026-11-21."""

SHAPE = '{"id", "content_type", "accept", "headers", "timeout_s", "body_base64"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCall:
    """One asynchronous call. Without `body` the body is in the bucket."""

    id: str
    content_type: str
    accept: str
    headers: Mapping[str, str]
    timeout_s: float | None
    body: bytes | None

    @classmethod
    def of(cls, job_id: str, request: Request) -> "JobCall":
        """Return the call for `request`, without its body where that is too large."""
        call = cls(
            id=job_id,
            content_type=request.content_type,
            accept=request.accept,
            headers=request.headers,
            timeout_s=request.timeout_s,
            body=request.body,
        )
        return call if len(call.event()) <= LARGEST_CALL else replace(call, body=None)

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> "JobCall":
        """Return what `event` wrote. Raises UnknownEvent."""
        job = event[JOB]
        try:
            inline = job["body_base64"]
            return cls(
                id=job["id"],
                content_type=job["content_type"],
                accept=job["accept"],
                headers=dict(job["headers"]),
                timeout_s=job["timeout_s"],
                body=None if inline is None else b64decode(inline, validate=True),
            )
        except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
            raise UnknownEvent(f"This is no job: {error!r}. The value of {JOB!r} is {SHAPE}.") from error

    def event(self) -> bytes:
        """Return the event as JSON."""
        job = {
            "id": self.id,
            "content_type": self.content_type,
            "accept": self.accept,
            "headers": dict(self.headers),
            "timeout_s": self.timeout_s,
            "body_base64": None if self.body is None else b64encode(self.body).decode(),
        }
        return json.dumps({JOB: job}).encode()

    def request(self, body: bytes, left_s: float) -> Request:
        """Return what the model is asked, within the time that is left."""
        return Request(
            id=self.id,
            body=body,
            content_type=self.content_type,
            accept=self.accept,
            headers=self.headers,
            timeout_s=max(0.0, left_s if self.timeout_s is None else min(self.timeout_s, left_s)),
        )
