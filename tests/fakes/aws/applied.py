"""Variants of a function that MiniStack takes, and what its services have to say of each.

The choices are those of `tests.fakes.template_variants`, but for what MiniStack lacks: Application Auto
Scaling, and the registry that an image is pushed to (`tests.fakes.aws.registry_door`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.fakes.aws.cloud import OPTIONS
from tests.fakes.template_variants import ACCESS, JOBS, MORE, TRIGGERS, WARM, covering
from tests.fakes.template_variants import OPTIONS as OPTION_NAMES

from preheat.project.model import HttpTrigger, Project
from preheat_providers.aws_lambda.target import NAME

Facts = Mapping[str, Any]
"""What is true of a function, as `tests.fakes.aws.facts` reads it. Sets and mappings of choices add up."""

SETTINGS: tuple[Mapping[str, Mapping[str, Any]], ...] = (
    {name: {"triggers": triggers} for name, triggers in TRIGGERS.items()},
    {name: WARM[name] for name in ("cold", "snapstart", "fixed", "pinged")},
    ACCESS,
    JOBS,
    {"layer": {}, "weightless": {"files": ()}, "s3": {"weights": "s3"}},
    {
        name: {key: value for key, value in settings.items() if key != "secrets_mark"}
        for name, settings in MORE.items()
    },
)
"""What each choice sets: options, and fields of the project. `files` are its weights, whose name an option
has; the mark of the secrets is what a deploy makes itself."""

UPLOADS: Facts = {
    "sources": {"UploadQueueScans"},
    "watched": {"uploads"},
    "alarms": {"failed-deliveries", "scans-dead-letters"},
    "may": {"Uploads", "Gone", "Results", "Queues", "Table"},
}
QUEUE: Facts = {"sources": {"team-pictures"}, "alarms": {"failed-deliveries"}, "may": {"Queues", "Table"}}
SCHEDULE: Facts = {
    "schedules": {"nightly": "cron(30 2 * * ? *)"},
    "alarms": {"failed-calls"},
    "may": {"Table", "FailedCalls"},
}
ODD: Facts = {
    "sources": {"UploadQueueEveryObject", "UploadQueueOdd1", "UploadQueueOdd190e97eba", "team.fifo"},
    "watched": {"up.loads", "uploads"},
    "schedules": {
        "last-day": "cron(59 23 L * ? *)",
        "x" * 48: "cron(0/7 9-17 ? 1,6 2-6 *)",
    },
    "alarms": {
        *("failed-deliveries", "failed-calls"),
        *("every-object-dead-letters", "odd-1-dead-letters", "odd1-dead-letters"),
    },
    "may": UPLOADS["may"] | SCHEDULE["may"],
}
URL: Facts = {"urls": ["NONE"], "callers": {"*"}, "apis": [], "token": False, "alarms": {"url5xxcount"}}
API: Facts = {
    "urls": [],
    "callers": {"apigateway.amazonaws.com"},
    "apis": ["NONE"],
    "token": False,
    "alarms": {"5xx"},
}
ALWAYS: Facts = {
    "sources": set(),
    "watched": set(),
    "schedules": {},
    "alarms": {"errors", "throttles"},
    "may": {"Logs"},
}


def joined(*facts: Facts) -> dict[str, Any]:
    """Return all of them as one."""
    together: dict[str, Any] = {}
    for each in facts:
        for name, value in each.items():
            together[name] = together[name] | value if name in together else value
    return together


FACTS: tuple[Mapping[str, Facts], ...] = (
    {
        "requests": {},
        "uploads": UPLOADS,
        "queue": QUEUE,
        "schedule": SCHEDULE,
        "all": joined(UPLOADS, QUEUE, SCHEDULE),
        "odd": ODD,
    },
    {
        "cold": {"ready": 0, "snapshots": "None"},
        "snapstart": {"ready": 0, "snapshots": "PublishedVersions"},
        "fixed": {"ready": 2, "snapshots": "None"},
        "pinged": {"ready": 0, "snapshots": "None", "schedules": {"keep_warm": "rate(1 minute)"}},
    },
    {
        "url-none": URL,
        "url-token": {**URL, "token": True},
        "url-iam": {**URL, "urls": ["AWS_IAM"], "callers": set()},
        "api-none": API,
        "api-token": {**API, "token": True},
        "api-jwt": {**API, "apis": ["JWT https://i/ a"]},
    },
    {
        "answers": {"buckets": 0},
        "jobs": {
            "buckets": 1,
            "alarms": {"failed-calls"},
            "may": {"Jobs", "OwnCalls", "Table", "FailedCalls"},
        },
    },
    {
        "layer": {"layers": {"libraries", "weights"}, "fetches": False},
        "weightless": {"layers": {"libraries"}, "fetches": False},
        "s3": {"layers": {"libraries"}, "fetches": True, "may": {"Weights"}},
    },
    {
        "plain": {
            "runtime": f"python3.13 {OPTIONS['architecture']}",
            "tracing": "PassThrough",
            "log_days": 30,
            "told": set(),
            "level": None,
            "secrets": set(),
        },
        "rich": {
            "runtime": "python3.14 arm64",
            "tracing": "Active",
            "log_days": 3653,
            "told": {MORE["rich"]["alarm_topic"]},
            "level": "info",
            "secrets": {"HUB_TOKEN", "Hub_Token"},
            "may": {"Traces"},
        },
    },
)


@dataclass(frozen=True)
class Applied:
    """One choice of each axis."""

    choices: tuple[str, ...]

    def __str__(self) -> str:
        return "-".join(self.choices)

    @property
    def weights(self) -> str:
        """Where the weights lie, if there are any."""
        return self.choices[4]

    def project(self, base: Project) -> Project:
        """Return `base` with those choices."""
        settings = [axis[choice] for axis, choice in zip(SETTINGS, self.choices, strict=True)]
        fields = {"python": None} | {name: value for each in settings for name, value in each.items()}
        table = {**OPTIONS, **{name: fields.pop(name) for name in OPTION_NAMES & fields.keys()}}
        triggers = (fields.pop("http", HttpTrigger()), *fields.pop("triggers"))
        weights = fields.pop("files", base.weights)
        return replace(base, triggers=triggers, weights=weights, provider={NAME: table}, **fields)

    def facts(self) -> Facts:
        """Return what has to be true of it."""
        chosen = joined(ALWAYS, *(axis[choice] for axis, choice in zip(FACTS, self.choices, strict=True)))
        given_up = ["FailedCalls"] if "FailedCalls" in chosen["may"] else []
        return {**chosen, "tables": int("Table" in chosen["may"]), "given_up": given_up}


def applied() -> tuple[Applied, ...]:
    """Variants in which each choice of one axis meets each of every other."""
    return tuple(map(Applied, covering(SETTINGS)))
