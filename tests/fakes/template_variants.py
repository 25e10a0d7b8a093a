"""Templates that together show every pair of choices: each trigger with each way to keep warm, and so on."""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from tests.fakes.lambda_templates import EVERY_TRIGGER, IMAGE, KEYS, QUEUE, TICK, UPLOAD, template

from preheat.project.model import HttpTrigger, ObjectCreated, QueueTrigger, Schedule, Trigger
from preheat_providers._aws.hours import ScheduledHours
from preheat_providers.aws_lambda.options import Options

Choice = Mapping[str, Any]

ODD = (
    ObjectCreated(name="every-object", bucket="up.loads", output="results"),
    ObjectCreated(name="odd-1", bucket="uploads", prefix='a*?${x}"é /', output="uploads/b*?${y}"),
    ObjectCreated(name="odd1", bucket="uploads", suffix="\\*.png", output="results/c"),
    QueueTrigger(name="in-order", queue="team.fifo"),
    Schedule(name="last-day", cron="59 23 L * *", timezone="America/Argentina/Buenos_Aires"),
    Schedule(name="x" * 48, cron="*/7 9-17 * jan,jun 1-5"),
)
HOURS = (
    ScheduledHours(cron="0 8 * * 1-5", timezone="Europe/Berlin", min=2, max=5),
    ScheduledHours(cron="0 18 * * *", min=0, max=0),
)

TRIGGERS: Mapping[str, tuple[Trigger, ...]] = {
    "requests": (),
    "uploads": (UPLOAD,),
    "queue": (QUEUE,),
    "schedule": (TICK,),
    "all": EVERY_TRIGGER,
    "odd": ODD,
}
WARM: Mapping[str, Choice] = {
    "cold": {},
    "snapstart": {"warm": "snapstart"},
    "fixed": {"warm": "provisioned", "provisioned": 2},
    "following": {"warm": "provisioned", "provisioned_max": 9, "provisioned_use": 0.5},
    "hours": {"warm": "provisioned", "provisioned_schedule": HOURS},
    "both": {"warm": "provisioned", "provisioned_max": 9, "provisioned_schedule": HOURS},
    "pinged": {"warm": "schedule", "schedule_minutes": 1},
}
ACCESS: Mapping[str, Choice] = {
    "url-none": {"http": HttpTrigger(auth="none")},
    "url-token": {},
    "url-iam": {"auth": "iam"},
    "api-none": {"http": HttpTrigger(auth="none"), "endpoint": "http-api"},
    "api-token": {"endpoint": "http-api"},
    "api-jwt": {"endpoint": "http-api", "auth": "jwt", "jwt_issuer": "https://i/", "jwt_audience": ("a",)},
}
JOBS: Mapping[str, Choice] = {"answers": {}, "jobs": {"jobs": True}}
WEIGHTS: Mapping[str, Choice] = {
    "layer": {},
    "weightless": {"keys": {name: key for name, key in KEYS.items() if name != "weights"}},
    "s3": {"keys": {name: key for name, key in KEYS.items() if name != "weights"}, "weights": "s3"},
    "image": {"image": IMAGE, "package": "image"},
}
MORE: Mapping[str, Choice] = {
    "plain": {},
    "rich": {
        "python": "3.14",
        "architecture": "arm64",
        "tracing": True,
        "log_days": 3653,
        "reserved_concurrency": 20,
        "permissions_boundary": "arn:aws:iam::123456789012:policy/team/boundary",
        "alarm_topic": "arn:aws:sns:eu-central-1:123456789012:alarms",
        "env": {"LEVEL": "info", "ODD": '${x} "quoted" é'},
        "secrets": {"HUB_TOKEN": "env:HUB_TOKEN", "Hub_Token": "env:X"},
        "secrets_mark": "0123456789abcdef",
    },
}
AXES = (TRIGGERS, WARM, ACCESS, JOBS, WEIGHTS, MORE)
OPTIONS = frozenset(Options.__dataclass_fields__)


@dataclass(frozen=True)
class Variant:
    """One choice of each axis."""

    choices: tuple[str, ...]

    def __str__(self) -> str:
        return "-".join(self.choices)

    def template(self) -> dict[str, Any]:
        """The template of those choices."""
        triggers, *others = self.choices
        fields: dict[str, Any] = {}
        for axis, choice in zip(AXES[1:], others, strict=True):
            fields |= dict(axis[choice])
        options = Options(**{name: fields.pop(name) for name in OPTIONS & fields.keys()})
        return template(*TRIGGERS[triggers], options=options, **fields)


def variants() -> tuple[Variant, ...]:
    """Variants in which each choice of one axis meets each of every other, and the two extremes."""
    plain = tuple(next(iter(axis)) for axis in AXES)
    return tuple(map(Variant, covering(AXES, plain, ("odd", "both", "api-jwt", "jobs", "s3", "rich"))))


def covering(axes: Sequence[Collection[str]], *first: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Choices, those of `first` among them, in which each of one axis meets each of every other."""
    chosen = [*first]
    missing = {pair for every in product(*axes) for pair in _pairs(every)}
    missing -= {pair for each in chosen for pair in _pairs(each)}
    candidates = [*product(*axes)]
    random.Random(0).shuffle(candidates)
    while missing:
        best = max(candidates, key=lambda each: sum(pair in missing for pair in _pairs(each)))
        chosen.append(best)
        missing -= set(_pairs(best))
    return chosen


def every_variant() -> Iterator[Variant]:
    """Every combination: thousands, for what takes less than a millisecond each."""
    return map(Variant, product(*AXES))


def _pairs(choices: tuple[str, ...]) -> Iterator[tuple[tuple[int, str], ...]]:
    return combinations(enumerate(choices), 2)
