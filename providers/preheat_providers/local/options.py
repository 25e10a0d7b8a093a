"""The table `[provider.local]` of preheat.toml: its JSON Schema, and the same as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "port": {
            "type": "integer",
            "minimum": 1024,
            "maximum": 65535,
            "description": "The endpoint's port on 127.0.0.1. Without it a free one is chosen and kept.",
        },
        "grpc_port": {
            "type": "integer",
            "minimum": 1024,
            "maximum": 65535,
            "description": "Serve the Open Inference Protocol over gRPC too, on this port of 127.0.0.1.",
        },
        "tls": {
            "type": "boolean",
            "default": False,
            "description": "Serve HTTPS with a certificate of a local authority.",
        },
        "zygote": {
            "enum": ["auto", "off"],
            "default": "auto",
            "description": "Fork workers from a process that has run setup, where the handler allows it.",
        },
        "zygote_idle_s": {
            "type": "number",
            "minimum": 0,
            "default": 600,
            "description": "How long that process stays after the last worker stopped, in seconds.",
        },
        "access_log": {
            "type": "boolean",
            "default": False,
            "description": "Write a line of JSON for each request, to a file of its own.",
        },
        "buckets": {
            "type": "object",
            "additionalProperties": {"type": "string", "minLength": 1},
            "description": "The folder, or s3://BUCKET, that stands for each bucket named in a trigger.",
        },
        "s3_endpoint": {
            "type": "string",
            "pattern": "^https?://",
            "description": "The S3 endpoint of buckets given as s3://BUCKET.",
        },
        "events": {
            "type": "string",
            "default": "poll",
            "description": "How uploads to S3 are noticed: 'poll', or the URL of the event queue.",
        },
        "private_webhooks": {
            "type": "boolean",
            "default": False,
            "description": "Let callers' webhooks reach this machine and its networks, over http too.",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`[provider.local]`. A `port` of None leaves the choice to the first deploy; no `grpc_port`, no gRPC."""

    port: int | None = None
    grpc_port: int | None = None
    tls: bool = False
    zygote: Literal["auto", "off"] = "auto"
    zygote_idle_s: float = 600.0
    access_log: bool = False
    buckets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    s3_endpoint: str | None = None
    events: str = "poll"
    private_webhooks: bool = False

    def document(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "buckets": dict(self.buckets)
        }


def read_options(table: Mapping[str, Any]) -> Options:
    """Return `table`, which has been validated against `SCHEMA`, as data."""
    return Options(**table)
