"""The table `[provider.aws_lambda]` of preheat.toml: its JSON Schema, and the same as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2557, 3653)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "region": {
            "type": "string",
            "pattern": "^[a-z]{2}(-[a-z]+)+-[0-9]$",
            "description": "The region to deploy to. Without it, that of the environment or of the profile.",
        },
        "architecture": {
            "enum": ["x86_64", "arm64"],
            "default": "x86_64",
            "description": "The processor. arm64 costs less, but only an arm64 machine can try the bundle.",
        },
        "artifact_bucket": {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            "description": "The bucket for archives and weights, in the same region. Without it, the one of "
            "`preheat bootstrap`.",
        },
        "weights": {
            "enum": ["package", "s3"],
            "default": "package",
            "description": "Where the weights lie: in the package, or in the artifact bucket, from which "
            "the function fetches them when it starts. Those do not count for a package's 250 MB.",
        },
        "weights_into": {
            "enum": ["tmp", "memory"],
            "default": "tmp",
            "description": "Where weights from S3 go: to /tmp (resources.tmp_mb), or into memory "
            "(resources.memory_mb), where onnxruntime reads no external data.",
        },
        "endpoint": {
            "enum": ["url", "http-api"],
            "default": "url",
            "description": "What answers HTTPS: a Function URL, or an HTTP API of API Gateway, which ends "
            "requests after 30 seconds.",
        },
        "auth": {
            "enum": ["iam", "jwt"],
            "description": "Who may call the endpoint, in place of `auth` of the http trigger: whom IAM "
            "allows (Function URL), or the holder of a JWT (HTTP API).",
        },
        "jwt_issuer": {
            "type": "string",
            "pattern": "^https://",
            "description": "The issuer whose tokens the HTTP API takes.",
        },
        "jwt_audience": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "description": "The audiences that it takes.",
        },
        "warm": {
            "enum": ["none", "snapstart", "provisioned", "schedule"],
            "default": "none",
            "description": "How cold starts are shortened: a snapshot taken after `setup`, environments "
            "that are kept ready (paid by the hour), or a call every few minutes.",
        },
        "provisioned": {
            "type": "integer",
            "minimum": 1,
            "default": 1,
            "description": 'How many environments are kept ready with warm = "provisioned".',
        },
        "provisioned_max": {
            "type": "integer",
            "minimum": 1,
            "description": "Up to how many, following their use. Without it the number is fixed.",
        },
        "provisioned_use": {
            "type": "number",
            "minimum": 0.1,
            "maximum": 0.9,
            "default": 0.7,
            "description": "The share of them that should be busy, with provisioned_max.",
        },
        "schedule_minutes": {
            "type": "integer",
            "minimum": 1,
            "maximum": 15,
            "default": 5,
            "description": 'How often the function is called with warm = "schedule".',
        },
        "log_days": {
            "enum": list(RETENTION_DAYS),
            "default": 30,
            "description": "How long logs are kept.",
        },
        "tracing": {
            "type": "boolean",
            "default": False,
            "description": "Send traces to X-Ray.",
        },
        "permissions_boundary": {
            "type": "string",
            "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:policy/",
            "description": "The ARN of the policy that bounds the function's role.",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`[provider.aws_lambda]`. What is None is found elsewhere or absent, as the schema says of each."""

    region: str | None = None
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    artifact_bucket: str | None = None
    weights: Literal["package", "s3"] = "package"
    weights_into: Literal["tmp", "memory"] = "tmp"
    endpoint: Literal["url", "http-api"] = "url"
    auth: Literal["iam", "jwt"] | None = None
    jwt_issuer: str | None = None
    jwt_audience: tuple[str, ...] = ()
    warm: Literal["none", "snapstart", "provisioned", "schedule"] = "none"
    provisioned: int = 1
    provisioned_max: int | None = None
    provisioned_use: float = 0.7
    schedule_minutes: int = 5
    log_days: int = 30
    tracing: bool = False
    permissions_boundary: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {"jwt_audience": list(self.jwt_audience)}


def read_options(table: Mapping[str, Any]) -> Options:
    """Return `table`, which has been validated against `SCHEMA`, as data."""
    return Options(**{**table, "jwt_audience": tuple(table.get("jwt_audience", ()))})
