"""The table `[provider.modal]` of preheat.toml: its JSON Schema, and the same as frozen data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

_REGION = re.compile(r"https://sqs\.(?P<region>[a-z]{2}(-[a-z]+)+-[0-9])\.")
"""In a queue's URL: https://docs.aws.amazon.com/general/latest/gr/sqs-service.html, read on 2026-11-21."""
_STRINGS = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}

Strategy = Literal["rolling", "recreate"]

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "environment": {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
            "description": "Modal's environment. Give each stage its own in [stage.STAGE.provider.modal]. "
            "Without it, that of Modal's profile.",
        },
        "gpu_fallback": {
            **_STRINGS,
            "description": "GPUs to take, in this order, where there is none of resources.gpu: "
            '`["L40S", "A100-80GB"]`.',
        },
        "region": {
            **_STRINGS,
            "description": 'Where containers may run: `["us-east", "eu"]`. Anywhere costs less.',
        },
        "nonpreemptible": {
            "type": "boolean",
            "default": False,
            "description": "Take machines that Modal does not take back. They cost more.",
        },
        "min_containers": {
            "type": "integer",
            "minimum": 0,
            "description": "Containers that always run. Without it scaling.min.",
        },
        "max_containers": {
            "type": "integer",
            "minimum": 1,
            "description": "Containers that run at most. Without it scaling.max.",
        },
        "buffer_containers": {
            "type": "integer",
            "minimum": 0,
            "description": "Idle containers beside the busy ones while there are requests. Without it "
            "scaling.warm.",
        },
        "scaledown_window": {
            "type": "integer",
            "minimum": 2,
            "maximum": 3600,
            "description": "Seconds that an idle container stays. Without it scaling.idle_s.",
        },
        "concurrency": {
            "type": "integer",
            "minimum": 1,
            "description": "Requests that one container takes at once. Without it scaling.concurrency, or "
            "what the handler's batching makes of it.",
        },
        "startup_timeout_s": {
            "type": "integer",
            "minimum": 1,
            "description": "What a container may take to start. Without it limits.setup_s.",
        },
        "retries": {
            "type": "integer",
            "minimum": 0,
            "maximum": 10,
            "default": 2,
            "description": "How often Modal repeats a call whose container died, that of a job or an upload "
            "too, and the call of a schedule that failed.",
        },
        "snapshot": {
            "enum": ["none", "cpu", "gpu"],
            "default": "none",
            "description": "Start containers from a memory snapshot that is taken after `setup`. With `cpu` "
            "setup has no GPU: move the model there in `restore`. `gpu` is alpha at Modal.",
        },
        "weights": {
            "enum": ["volume", "image"],
            "default": "volume",
            "description": "Where the weights lie: in a Volume, uploaded once, or baked into the image.",
        },
        "packages": {
            "enum": ["image", "upload"],
            "default": "image",
            "description": "How packages get there: Modal installs the locked ones in its image, or the "
            "bundle's own are uploaded: for an index that Modal cannot reach, and for wheels here.",
        },
        "auth": {
            "enum": ["token", "proxy"],
            "default": "token",
            "description": "Who may call, where the http trigger wants a token: holders of ours, or of a "
            "proxy token of Modal's, which is checked before a container starts.",
        },
        "strategy": {
            "enum": ["rolling", "recreate"],
            "default": "rolling",
            "description": "What a deploy does with containers of the release before: they answer until new "
            "ones are ready, or it ends them and waits for their ends.",
        },
        "aws_region": {
            "type": "string",
            "pattern": "^[a-z]{2}(-[a-z]+)+-[0-9]$",
            "description": "The region of the buckets of triggers, or of upload_queue. Without it, that "
            "of the environment or of the AWS profile, or the one in the queue's URL.",
        },
        "upload_queue": {
            "type": "string",
            "pattern": "^https?://[^/]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}$",
            "description": "The URL of a queue of SQS to which the buckets of triggers send their events. "
            "With it the deploy makes nothing on AWS, and the app asks the queue once a minute.",
        },
        "upload_role": {
            "type": "string",
            "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/",
            "description": "The role with which containers read uploads and write results: one that trusts "
            "Modal's OIDC provider. Without it, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of [secrets].",
        },
        "permissions_boundary": {
            "type": "string",
            "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:policy/",
            "description": "The ARN of the policy that bounds the role with which EventBridge tells of "
            "uploads.",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`[provider.modal]`. What is None is found elsewhere or absent, as the schema says of each."""

    environment: str | None = None
    gpu_fallback: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    nonpreemptible: bool = False
    min_containers: int | None = None
    max_containers: int | None = None
    buffer_containers: int | None = None
    scaledown_window: int | None = None
    concurrency: int | None = None
    startup_timeout_s: int | None = None
    retries: int = 2
    snapshot: Literal["none", "cpu", "gpu"] = "none"
    weights: Literal["volume", "image"] = "volume"
    packages: Literal["image", "upload"] = "image"
    auth: Literal["token", "proxy"] = "token"
    strategy: Strategy = "rolling"
    aws_region: str | None = None
    upload_queue: str | None = None
    upload_role: str | None = None
    permissions_boundary: str | None = None

    @property
    def upload_region(self) -> str | None:
        """The region that AWS is asked in, as far as the table says it."""
        named = _REGION.match(self.upload_queue or "")
        return self.aws_region or (named["region"] if named else None)

    def document(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {"gpu_fallback": list(self.gpu_fallback), "region": list(self.region)}


def read_options(table: Mapping[str, Any]) -> Options:
    """Return `table`, which has been validated against `SCHEMA`, as data."""
    lists = {name: tuple(table.get(name, ())) for name in ("gpu_fallback", "region")}
    return Options(**{**table, **lists})
