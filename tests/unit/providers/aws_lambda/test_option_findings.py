from pathlib import Path
from typing import Any

import pytest

from preheat.project.model import Project
from preheat_providers._aws.finding import finder
from preheat_providers._aws.hours import ScheduledHours
from preheat_providers.aws_lambda.option_findings import option_findings
from preheat_providers.aws_lambda.options import Options

JWT: dict[str, Any] = {"auth": "jwt", "jwt_issuer": "https://i/", "jwt_audience": ("a",)}
PROVISIONED: dict[str, Any] = {"warm": "provisioned"}


def hours(**fields: Any) -> ScheduledHours:
    return ScheduledHours(**{"cron": "0 8 * * 1-5", "min": 1, "max": 2, **fields})


def found(options: Options) -> list[tuple[str | None, str | None]]:
    find = finder(Project(root=Path("/p"), stage="dev", name="ocr", handler="handler:Model"))
    return [(finding.key, finding.fix) for finding in option_findings(options, find)]


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(auth="iam"),
        Options(endpoint="http-api", **JWT),
        Options(provisioned=3, provisioned_max=3, **PROVISIONED),
        Options(provisioned=3, provisioned_max=5, reserved_concurrency=5, **PROVISIONED),
        Options(provisioned_schedule=(hours(timezone="Europe/Berlin", min=2, max=2),), **PROVISIONED),
        Options(package="image", base_image="python:3.13-slim", warm="provisioned"),
        Options(provisioned=9, reserved_concurrency=1),  # a stage that is not kept warm
    ],
)
def test_options_that_go_together_are_taken(options: Options) -> None:
    assert found(options) == []


@pytest.mark.parametrize(
    ("options", "key", "fix"),
    [
        (Options(base_image="python:3.13-slim"), "base_image", 'package = "image"'),
        (Options(package="image", warm="snapstart"), "warm", 'warm = "provisioned"'),
        (Options(package="image", weights="s3"), "weights", 'weights = "package"'),
        (Options(**JWT), "auth", 'endpoint = "http-api"'),
        (Options(auth="iam", endpoint="http-api"), "auth", 'endpoint = "url"'),
        (Options(auth="jwt", endpoint="http-api"), "auth", "jwt_issuer = "),
        (Options(provisioned=3, provisioned_max=2), "provisioned_max", "provisioned_max = 3"),
        (
            Options(provisioned=3, reserved_concurrency=2, **PROVISIONED),
            "reserved_concurrency",
            "reserved_concurrency = 3",
        ),
        (
            Options(provisioned_schedule=(hours(max=7),), reserved_concurrency=2, **PROVISIONED),
            "reserved_concurrency",
            "reserved_concurrency = 7",
        ),
        (Options(provisioned_schedule=(hours(cron="0 8"),)), "provisioned_schedule[0]", "cron = "),
        (
            Options(provisioned_schedule=(hours(), hours(cron="0 8 1 * 1"))),
            "provisioned_schedule[1]",
            "cron = ",
        ),
        (
            Options(provisioned_schedule=(hours(timezone="Berlin"),)),
            "provisioned_schedule[0]",
            'timezone = "UTC"',
        ),
        (Options(provisioned_schedule=(hours(min=3, max=2),)), "provisioned_schedule[0]", "max = 3"),
    ],
)
def test_options_that_exclude_one_another_are_found(options: Options, key: str, fix: str) -> None:
    ((at, mended),) = found(options)
    assert at == f"provider.aws_lambda.{key}"
    assert str(mended).startswith(fix)
