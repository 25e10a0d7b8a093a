from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.sagemaker_templates import DAY, UPLOAD, project

from preheat.interface.manifest import Limits
from preheat.project.model import Project, QueueTrigger, Resources, Scaling, Schedule
from preheat_providers._aws.hours import ScheduledHours
from preheat_providers.sagemaker.limits import capabilities, project_findings, unknown_price
from preheat_providers.sagemaker.options import Options

HERE = "provider.sagemaker"


def findings(of: Project, **options: Any) -> dict[str, tuple[str, str]]:
    found = project_findings(of, Options(**options))
    assert all(each.file == of.root / "preheat.toml" and each.fix for each in found)
    return {str(each.key): (each.message, str(each.fix)) for each in found}


@pytest.mark.parametrize(
    ("of", "options"),
    [
        (project(), {}),
        (project(UPLOAD, resources=Resources(timeout_s=3600, gpu="A10G", memory_mb=16_000)), {}),
        (project(scaling=Scaling(min=1)), {"mode": "realtime"}),
        (project(scaling=Scaling(warm=2)), {"mode": "realtime", "canary_percent": 50}),
        (project(limits=Limits(body_bytes=4 << 20)), {"mode": "serverless"}),
        (project(limits=Limits(body_bytes=1 << 30)), {}),
        (project(name="a" * 48, stage="b" * 6), {}),
        (project(resources=Resources(gpu="T4:4")), {"instance_type": "ml.g4dn.12xlarge"}),
        (project(resources=Resources(gpu="B200:8")), {"instance_type": "ml.p6-b200.48xlarge"}),
        (project(resources=Resources(tmp_mb=5120)), {"mode": "serverless"}),
        (project(), {"schedule": (DAY,), "notify": True, "weights": "s3"}),
        (project(UPLOAD), {"output_bucket": "uploads"}),
        (project(replace(UPLOAD, prefix="")), {"output_bucket": "elsewhere"}),
    ],
)
def test_what_sagemaker_takes_is_without_a_finding(of: Project, options: dict[str, Any]) -> None:
    assert findings(of, **options) == {}


@pytest.mark.parametrize(
    ("of", "options", "key", "said", "fix"),
    [
        (project(resources=Resources(timeout_s=4000)), {}, "resources.timeout_s", "3600 s", "3600"),
        (
            project(resources=Resources(timeout_s=61), scaling=Scaling(min=1)),
            {"mode": "realtime"},
            "resources.timeout_s",
            "60 s",
            'mode = "async"',
        ),
        (project(resources=Resources(tmp_mb=600_000)), {}, "resources.tmp_mb", "600000", "524288"),
        (
            project(limits=Limits(body_bytes=7 << 20)),
            {"mode": "serverless"},
            "limits.body_bytes",
            "4,194,304",
            "4194304",
        ),
        (project(resources=Resources(gpu="B9000")), {}, "resources.gpu", "T4, A10G", "A10G"),
        (project(resources=Resources(gpu="H100:9")), {}, "resources", "GPU H100:9", "less"),
        (
            project(resources=Resources(tmp_mb=5121)),
            {"mode": "serverless"},
            "resources.tmp_mb",
            "5120",
            "5120",
        ),
        (
            project(resources=Resources(gpu="A10G")),
            {"instance_type": "ml.g5.xlrage"},
            f"{HERE}.instance_type",
            "called like that",
            '"ml.g5.xlarge"',
        ),
        (project(), {"instance_type": "ml.c7g.large"}, f"{HERE}.instance_type", "ARM", "ml.c5.large"),
        (project(), {"instance_type": "ml.t9.tiny"}, f"{HERE}.instance_type", "ml.t9.tiny", "ml.c5.large"),
        (
            project(resources=Resources(gpu="A10G")),
            {"instance_type": "ml.c5.large"},
            f"{HERE}.instance_type",
            "no GPU",
            "ml.g5.xlarge",
        ),
        (
            project(resources=Resources(memory_mb=9000)),
            {"instance_type": "ml.c5.large"},
            f"{HERE}.instance_type",
            "4096 MB",
            "ml.m5.xlarge",
        ),
        (project(), {"instance_type": "ml.g5.xlarge"}, f"{HERE}.instance_type", "and no GPU", "ml.c5.large"),
        (
            project(resources=Resources(gpu="T4")),
            {"mode": "serverless"},
            "resources.gpu",
            "no GPU",
            'mode = "async"',
        ),
        (
            project(resources=Resources(memory_mb=7000)),
            {"mode": "serverless"},
            "resources.memory_mb",
            "6144",
            "6144",
        ),
        (project(), {"mode": "realtime"}, "scaling.min", "paid by the hour", "min = 1"),
        (project(scaling=Scaling(warm=1)), {"mode": "serverless"}, "scaling.min", "no instances", "min = 0"),
        (project(name="a" * 48, stage="b" * 10), {}, "name", "4 too many", "a" * 44),
        (project(name="a" * 48, stage="b" * 7), {}, "name", "1 too many", "a" * 47),
        (project(stage="b-"), {}, "name", "dash at the end", "dash"),
        (project(QueueTrigger(name="q", queue="work")), {}, "triggers.q", "a queue", "aws_lambda"),
        (project(Schedule(name="n", cron="0 0 * * *")), {}, "triggers.n", "a schedule", "aws_lambda"),
        (
            project(UPLOAD, scaling=Scaling(min=1)),
            {"mode": "realtime"},
            "triggers.scans",
            "asynchronous",
            "async",
        ),
        (
            project(replace(UPLOAD, prefix="")),
            {"output_bucket": "uploads"},
            "triggers.scans.prefix",
            "below preheat/ocr/dev.endpoint/",
            'prefix = "in/"',
        ),
        (
            project(replace(UPLOAD, prefix="preheat/ocr/dev.endpoint/inputs/")),
            {"output_bucket": "uploads"},
            "triggers.scans.prefix",
            "jobs leave inputs",
            'prefix = "in/"',
        ),
        (
            project(scaling=Scaling(min=1)),
            {"canary_percent": 10},
            f"{HERE}.canary_percent",
            "keeps 1",
            "min = 2",
        ),
        (
            project(scaling=Scaling(min=1)),
            {"mode": "realtime", "notify": True},
            f"{HERE}.notify",
            '"realtime"',
            "async",
        ),
        (
            project(),
            {"mode": "serverless", "max_concurrent": 2},
            f"{HERE}.max_concurrent",
            "of its own",
            "remove",
        ),
        (
            project(),
            {"ami": "al2-ami-sagemaker-inference-gpu-2"},
            f"{HERE}.ami",
            "asks for none",
            "remove ami",
        ),
        (
            project(),
            {"mode": "serverless", "ami": "al2-ami-sagemaker-inference-gpu-2"},
            f"{HERE}.ami",
            "none of its own",
            "remove ami",
        ),
        (project(), {"mode": "serverless", "weights": "s3"}, f"{HERE}.weights", "in the image", "image"),
        (
            project(),
            {"schedule": (ScheduledHours(cron="61 * * * *", min=0, max=1),)},
            f"{HERE}.schedule[0]",
            "61 * * * *",
            "cron",
        ),
        (
            project(),
            {"schedule": (DAY, ScheduledHours(cron="0 0 1 * 1", min=0, max=1))},
            f"{HERE}.schedule[1]",
            "AWS takes one of them",
            "cron",
        ),
        (
            project(),
            {"schedule": (ScheduledHours(cron="0 8 * * *", timezone="Mars", min=0, max=1),)},
            f"{HERE}.schedule[0]",
            "Mars",
            "UTC",
        ),
        (
            project(),
            {"schedule": (ScheduledHours(cron="0 8 * * *", min=3, max=2),)},
            f"{HERE}.schedule[0]",
            "max is 2",
            "max = 3",
        ),
        (
            project(scaling=Scaling(min=1)),
            {"mode": "realtime", "schedule": (ScheduledHours(cron="0 8 * * *", min=0, max=2),)},
            f"{HERE}.schedule[0]",
            "at least one",
            "min = 1",
        ),
    ],
)
def test_what_it_does_not_take_is_named_with_its_fix(
    of: Project, options: dict[str, Any], key: str, said: str, fix: str
) -> None:
    found = findings(of, **options)
    assert list(found) == [key]
    message, paste = found[key]
    assert said in message
    assert fix in paste


@pytest.mark.parametrize(
    ("resources", "largest"),
    [
        (Resources(memory_mb=1 << 20), "ml.m5.4xlarge has the most: 16 processors, 65536 MB and no GPU."),
        (Resources(gpu="L4:9"), "ml.g6.12xlarge has the most: 48 processors, 196608 MB and 4 × L4."),
        (Resources(gpu="any:9"), "ml.p5.48xlarge has the most"),
    ],
)
def test_who_asks_for_too_much_is_told_of_the_largest_machine(resources: Resources, largest: str) -> None:
    ((message, _),) = findings(project(resources=resources)).values()
    assert largest in message


def test_a_machine_without_a_known_price_is_said_to_be_one() -> None:
    of = project(resources=Resources(gpu="H100:8"))
    note = unknown_price(of, Options())
    assert note is not None
    assert "ml.p5.48xlarge" in note
    assert "size" not in note
    unheard = unknown_price(project(), Options(instance_type="ml.m7i.large"))
    assert unheard is not None
    assert "Nor is its size" in unheard
    assert unknown_price(project(), Options()) is None
    assert unknown_price(project(), Options(mode="serverless")) is None


def test_what_a_provider_can_do_follows_from_the_quotas() -> None:
    assert capabilities()["max_timeout_s"] == 3600.0
    assert capabilities()["max_body_bytes"] == 6 << 20
