"""InvokeEndpointAsync as data: what is asked, by what configuration, and where its answer will lie.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceConfig.html, read on 2026-11-21.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TTL_S, TIMEOUT_S = 21_600.0, 900.0
"""How long a request may wait, and how long it may then take, where nobody says."""
INLINE_BYTES = 128_000
LARGEST_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One request. Either `input` (`s3://BUCKET/KEY`) or `body` has what the container gets."""

    id: str
    created: float
    input: str | None = None
    body: bytes | None = None
    content_type: str | None = None
    accept: str | None = None
    attributes: str | None = None
    ttl_s: float = TTL_S
    timeout_s: float = TIMEOUT_S
    extension: str | None = None
    filename: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that the container gets of it."""
        given = {
            "Content-Type": self.content_type,
            "Accept": self.accept,
            "X-Amzn-SageMaker-Custom-Attributes": self.attributes,
            "X-Amzn-SageMaker-Inference-Id": self.id,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class AsyncConfig:
    """`AsyncInferenceConfig`. Paths are `s3://BUCKET/PREFIX`; `included` topics get the answer too."""

    output: str
    failure: str | None = None
    success_topic: str | None = None
    error_topic: str | None = None
    included: tuple[str, ...] = ()
    concurrent: int = 1

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> "AsyncConfig":
        """Read it as CloudFormation and the API write it."""
        out = properties["OutputConfig"]
        told = out.get("NotificationConfig", {})
        return cls(
            output=out["S3OutputPath"],
            failure=out.get("S3FailurePath"),
            success_topic=told.get("SuccessTopic"),
            error_topic=told.get("ErrorTopic"),
            included=tuple(told.get("IncludeInferenceResponseIn", ())),
            concurrent=properties.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", 1),
        )

    def output_of(self, asked: Invocation) -> str:
        """Return where the answer to `asked` will lie: the name is its own if it brings one."""
        return _joined(self.output, asked.extension, asked.filename or f"{asked.id}.out")

    def failure_of(self, asked: Invocation) -> str | None:
        """Return where what went wrong will lie, if anywhere."""
        if self.failure is None:
            return None
        return _joined(self.failure, asked.extension, asked.filename or f"{asked.id}-error.out")


def bucket_and_key(location: str) -> tuple[str, str]:
    """Return both of `s3://BUCKET/KEY`."""
    parts = urlsplit(location)
    return parts.netloc, parts.path.lstrip("/")


def _joined(path: str, extension: str | None, name: str) -> str:
    return "/".join([path.rstrip("/"), *([extension.strip("/")] if extension else []), name])
