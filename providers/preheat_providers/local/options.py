"""The table `[provider.local]` of preheat.toml: its JSON Schema, and the same as frozen data."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from preheat.findings import Finding
from preheat.project.triggering import cron_problem, is_timezone

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
        "keep_alive": {
            "enum": ["idle", "histogram"],
            "default": "idle",
            "description": "How long idle workers stay: each for scaling.idle_s, or all together for as long "
            "as that would take, when past idle times say that requests come (the histogram policy; it needs "
            "an idle_s of 300 or more).",
        },
        "schedule": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["cron", "min"],
                "properties": {
                    "cron": {"type": "string", "minLength": 1},
                    "timezone": {"type": "string", "minLength": 1, "default": "UTC"},
                    "min": {"type": "integer", "minimum": 0},
                },
            },
            "description": "From when on how many workers always run, in place of scaling.min: "
            '`[{cron = "0 8 * * 1-5", timezone = "Europe/Berlin", min = 1}]`. '
            "At a stage, `[]` takes them away.",
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
class WorkerHours:
    """From when on `min` workers always run."""

    cron: str
    timezone: str = "UTC"
    min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`[provider.local]`. A `port` of None leaves the choice to the first deploy; no `grpc_port`, no gRPC."""

    port: int | None = None
    grpc_port: int | None = None
    tls: bool = False
    zygote: Literal["auto", "off"] = "auto"
    zygote_idle_s: float = 600.0
    keep_alive: Literal["idle", "histogram"] = "idle"
    schedule: tuple[WorkerHours, ...] = ()
    access_log: bool = False
    buckets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    s3_endpoint: str | None = None
    events: str = "poll"
    private_webhooks: bool = False

    def document(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "buckets": dict(self.buckets),
            "schedule": [asdict(each) for each in self.schedule],
        }


def read_options(table: Mapping[str, Any]) -> Options:
    """Return `table`, which has been validated against `SCHEMA`, as data."""
    schedule = tuple(WorkerHours(**each) for each in table.get("schedule", ()))
    return Options(**{**table, "schedule": schedule})


def schedule_findings(options: Options, file: Path) -> Iterator[Finding]:
    """Yield what is wrong in `schedule` that no schema can say."""
    for number, hours in enumerate(options.schedule):
        key = f"provider.local.schedule[{number}]"
        problem = cron_problem(hours.cron)
        if problem:
            message = f"cron is {hours.cron!r}, {problem}."
            yield Finding(message=message, file=file, key=key, fix='cron = "0 8 * * 1-5"')
        if not is_timezone(hours.timezone):
            message = f"timezone is {hours.timezone!r}, which no time zone is called."
            yield Finding(message=message, file=file, key=key, fix='timezone = "UTC"')
