"""Projects and options as templates of endpoints are made from them."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

from preheat.project.model import HttpTrigger, ObjectCreated, Project, Resources, Scaling, Trigger
from preheat_providers._aws.hours import ScheduledHours
from preheat_providers.sagemaker.instances import instance_of, volume_gb
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.document import template_of
from preheat_providers.sagemaker.template.wanted import Wanted

DIGEST = f"sha256:{'ab' * 32}"
IMAGE = f"sha256:{'cd' * 32}"
WEIGHTS = f"sha256:{'ef' * 32}"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
UPLOAD = ObjectCreated(name="scans", bucket="uploads", prefix="in/", suffix=".png", output="results/text")
ODD = ObjectCreated(name="odd-1", bucket="up.loads", prefix='a*?${x}"é /', output="uploads/b*?${y}")
NIGHT = ScheduledHours(cron="0 18 * * *", min=0, max=2)
DAY = ScheduledHours(cron="0 8 * * 1-5", timezone="Europe/Berlin", min=1, max=5)
FRONT = "preheat/ocr/dev/front/0123.zip"


def project(*triggers: Trigger, **fields: Any) -> Project:
    """A project called `ocr` at the stage `dev`."""
    http = fields.pop("http", HttpTrigger())
    about: dict[str, Any] = {"root": Path("/p"), "stage": "dev", "name": "ocr", "handler": "handler:Model"}
    return Project(**{**about, **fields}, triggers=(http, *triggers))


def wanted(
    *triggers: Trigger,
    options: Options | None = None,
    digest: str = DIGEST,
    image: str = IMAGE,
    concurrent: int | None = 4,
    secrets_mark: str | None = None,
    **fields: Any,
) -> Wanted:
    """What a template of that project is made from; `fields` are the project's."""
    of, chosen = project(*triggers, **fields), options or Options()
    machine = instance_of(of, chosen)
    return Wanted(
        project=of,
        options=chosen,
        image=image,
        digest=digest,
        front=FRONT,
        instance=machine,
        ami=chosen.ami,
        concurrent=concurrent,
        weights=WEIGHTS if chosen.weights == "s3" else None,
        volume_gb=volume_gb(of, machine, fetched=1 << 30 if chosen.weights == "s3" else 0),
        environment={"PREHEAT_STAGE": "dev"},
        secrets_mark=secrets_mark,
    )


def template(*triggers: Trigger, **more: Any) -> dict[str, Any]:
    """The template of that, through JSON as CloudFormation keeps it."""
    document: dict[str, Any] = json.loads(json.dumps(template_of(wanted(*triggers, **more))))
    return document


Choice = Mapping[str, Any]
MODES: Mapping[str, Choice] = {
    "async": {"mode": "async", "scaling": Scaling(min=0, max=4)},
    "async-kept": {"mode": "async", "scaling": Scaling(min=4, max=8), "canary_percent": 30},
    "async-hours": {"mode": "async", "schedule": (DAY, NIGHT)},
    "realtime": {"mode": "realtime", "scaling": Scaling(min=1, max=3)},
    "realtime-canary": {"mode": "realtime", "scaling": Scaling(min=2, max=2), "canary_percent": 50},
    "serverless": {"mode": "serverless", "scaling": Scaling(min=0)},
}
TRIGGERS: Mapping[str, tuple[Trigger, ...]] = {"requests": (), "uploads": (UPLOAD,), "odd": (UPLOAD, ODD)}
ACCESS: Mapping[str, Choice] = {
    "token": {},
    "none": {"http": HttpTrigger(auth="none")},
    "iam": {"auth": "iam"},
}
STORAGE: Mapping[str, Choice] = {
    "own": {},
    "theirs": {"output_bucket": "team-results", "weights": "s3"},
    "told": {"notify": True, "weights": "s3"},
    "key": {"kms_key": KEY, "notify": True},
}
MORE: Mapping[str, Choice] = {
    "plain": {},
    "rich": {
        "max_concurrent": 2,
        "rollback": False,
        "log_days": 3653,
        "permissions_boundary": "arn:aws:iam::123456789012:policy/team/boundary",
        "alarm_topic": "arn:aws:sns:eu-central-1:123456789012:alarms",
        "env": {"LEVEL": "info", "ODD": '${x} "quoted" é'},
        "secrets": {"HUB_TOKEN": "env:HUB_TOKEN"},
        "secrets_mark": "0123456789abcdef",
        "concurrent": None,
    },
    "gpu": {
        "resources": Resources(gpu="A10G", memory_mb=8192),
        "ami": "al2023-ami-sagemaker-inference-gpu-4-1",
    },
}
AXES = (MODES, TRIGGERS, ACCESS, STORAGE, MORE)
OPTIONS = frozenset(Options.__dataclass_fields__)


@dataclass(frozen=True)
class Variant:
    """One choice of each axis."""

    choices: tuple[str, ...]

    def __str__(self) -> str:
        return "-".join(self.choices)

    def template(self) -> dict[str, Any]:
        """The template of those choices."""
        mode, triggers, *others = self.choices
        fields: dict[str, Any] = dict(MODES[mode])
        for axis, choice in zip(AXES[2:], others, strict=True):
            fields |= dict(axis[choice])
        options = Options(**{name: fields.pop(name) for name in OPTIONS & fields.keys()})
        return template(*TRIGGERS[triggers], options=options, **fields)


def variants() -> tuple[Variant, ...]:
    """Variants in which each choice of one axis meets each of every other; no finding stands against any."""
    candidates = [each for each in product(*AXES) if _possible(each)]
    missing = {pair for every in candidates for pair in _pairs(every)}
    random.Random(0).shuffle(candidates)
    chosen = []
    while missing:
        best = max(candidates, key=lambda each: sum(pair in missing for pair in _pairs(each)))
        chosen.append(best)
        missing -= set(_pairs(best))
    return tuple(Variant(each) for each in chosen)


def _possible(choices: tuple[str, ...]) -> bool:
    mode, triggers, _, storage, more = choices
    if mode.startswith("async"):
        return True
    plain = triggers == "requests" and storage == "own"
    return plain and not (mode == "serverless" and more == "gpu")


def _pairs(choices: tuple[str, ...]) -> Iterator[tuple[tuple[int, str], ...]]:
    return combinations(enumerate(choices), 2)
