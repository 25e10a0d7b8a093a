from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.plan.model import Cost
from preheat.project.model import HttpTrigger, ObjectCreated, Project, QueueTrigger, Resources, Trigger
from preheat_providers.aws_lambda.costs import costs_of
from preheat_providers.aws_lambda.options import Options, read_options

UPLOADS = ObjectCreated(name="uploads", bucket="in", output="out/results")
MESSAGES = QueueTrigger(name="messages", queue="work")
WARM = ("none", "snapstart", "provisioned", "schedule")


def project(*triggers: Trigger, memory_mb: int = 1769, tmp_mb: int = 512) -> Project:
    return Project(
        root=Path(),
        stage="dev",
        name="embed",
        handler="handler:Embedder",
        resources=Resources(memory_mb=memory_mb, tmp_mb=tmp_mb),
        triggers=(HttpTrigger(), *triggers),
    )


def costs(
    of: Project | None = None, region: str | None = "us-east-1", unzipped_bytes: int = 1 << 30, **options: Any
) -> dict[str, Cost]:
    found = costs_of(of or project(), read_options(options), region=region, unzipped_bytes=unzipped_bytes)
    assert len({cost.name for cost in found}) == len(found)
    return {cost.name: cost for cost in found}


@pytest.mark.parametrize(
    ("name", "usd"),
    [
        ('warm = "none"', 0),
        # 1769 / 1024 GB × 2,628,000 s × $0.0000015046, for each of two versions
        ('warm = "snapstart"', 2 * 6.8308),
        # 1769 / 1024 GB × 2,628,000 s × $0.0000041667
        ('warm = "provisioned"', 18.9166),
        # 8,760 × ($0.000001 + $0.0000002 + 0.1 × 1769 / 1024 × $0.0000166667)
        ('warm = "schedule"', 0.0105120 + 0.0252221),
        # 1 GB × $0.023
        ("archives in S3", 0.023),
    ],
)
def test_a_month_without_requests_costs(name: str, usd: float) -> None:
    cost = costs()[name]
    assert cost.unit == "month"
    assert cost.usd == pytest.approx(usd, rel=1e-4)


def test_an_image_has_no_snapshot_and_no_archives_to_pay_for() -> None:
    archives, image = costs(), costs(package="image")
    assert archives.keys() - image.keys() == {
        'warm = "snapstart"',
        "SnapStart, cold starts",
        "archives in S3",
    }
    assert image.keys() <= archives.keys()


def test_provisioned_environments_are_paid_one_by_one() -> None:
    one, three = (costs(provisioned=count)['warm = "provisioned"'].usd for count in (1, 3))
    assert three == pytest.approx(3 * one)


def test_a_rising_number_is_priced_at_its_floor_and_says_so() -> None:
    cost = costs(warm="provisioned", provisioned=2, provisioned_max=8)['warm = "provisioned"']
    assert cost.usd == pytest.approx(2 * 18.9166, rel=1e-4)
    assert "more when busy" in cost.basis


def test_scheduled_hours_are_priced_at_their_average() -> None:
    # three environments from 8 to 20 on five days, none otherwise: 3 × 60 / 168 on average
    hours = [{"cron": "0 8 * * 1-5", "min": 3, "max": 6}, {"cron": "0 20 * * 1-5", "min": 0, "max": 0}]
    cost = costs(warm="provisioned", provisioned_schedule=hours)['warm = "provisioned"']
    assert cost.usd == pytest.approx(3 * 60 / 168 * 18.9166, rel=1e-4)
    assert "1.07 on average" in cost.basis


def test_each_release_that_is_kept_costs_its_snapshot() -> None:
    assert costs(keep_releases=5)['warm = "snapstart"'].usd == pytest.approx(5 * 6.8308, rel=1e-4)


def test_alarms_are_counted_as_the_template_has_them() -> None:
    assert costs()["alarms"].usd == pytest.approx(3 * 0.1)
    assert costs(project(UPLOADS), jobs=True)["alarms"].usd == pytest.approx(6 * 0.1)


def test_rarer_calls_keep_warm_for_less() -> None:
    assert costs(schedule_minutes=10)['warm = "schedule"'].usd == pytest.approx(
        costs(schedule_minutes=5)['warm = "schedule"'].usd / 2
    )


@pytest.mark.parametrize("warm", WARM)
def test_the_option_of_the_project_is_the_chosen_one(warm: str) -> None:
    found = costs(warm=warm)
    assert [name for name in WARM if found[f'warm = "{name}"'].chosen] == [warm]


@pytest.mark.parametrize(
    ("options", "name", "usd"),
    [
        # $0.0002 + 1000 × 0.1 s × 1 GB × $0.0000166667 + 1000 / 1,048,576 GB × $0.50
        ({}, "requests of 100 ms", 0.0002 + 0.00166667 + 0.00047684),
        ({}, "requests of 1 s", 0.0002 + 0.0166667 + 0.00047684),
        ({"architecture": "arm64"}, "requests of 1 s", 0.0002 + 0.0133334 + 0.00047684),
        ({"warm": "provisioned"}, "requests of 1 s", 0.0002 + 0.0097222 + 0.00047684),
        ({"endpoint": "http-api"}, "requests of 1 s", 0.0002 + 0.0166667 + 0.00047684 + 0.001),
        ({"tracing": True}, "requests of 1 s", 0.0002 + 0.0166667 + 0.00047684 + 0.005),
        ({"warm": "snapstart"}, "SnapStart, cold starts", 0.1397998),
    ],
)
def test_a_thousand_requests_in_one_gigabyte_cost(options: dict[str, Any], name: str, usd: float) -> None:
    cost = costs(project(memory_mb=1024), **options)[name]
    assert cost.unit == "1000 requests"
    assert cost.usd == pytest.approx(usd, rel=1e-4)


def test_tmp_costs_above_its_free_half_gigabyte() -> None:
    plain, more = (costs(project(tmp_mb=mb))["requests of 1 s"].usd for mb in (512, 512 + 1024))
    assert more - plain == pytest.approx(1000 * 0.0000000309)


def test_a_queue_costs_its_empty_polls_though_nothing_comes() -> None:
    # 15 polls a minute × 43,800 minutes × $0.0000004
    assert costs(project(UPLOADS))["waiting queues"].usd == pytest.approx(0.2628)
    assert costs(project(UPLOADS, MESSAGES))["waiting queues"].usd == pytest.approx(0.5256)
    assert "waiting queues" not in costs()


def test_an_upload_costs_its_event_its_queue_its_record_and_its_result() -> None:
    found = costs(project(UPLOADS, MESSAGES, memory_mb=1024))
    message = found["requests of 1 s"].usd + 3000 * 0.0000004 + 2000 * 0.000000625
    assert found["messages of 1 s"].usd == pytest.approx(message)
    assert found["uploads of 1 s"].usd == pytest.approx(message + 0.001 + 0.0004 + 0.005)


@pytest.mark.parametrize(
    ("region", "name", "said"),
    [
        ("us-east-1", 'warm = "snapstart"', ""),
        ("eu-west-1", 'warm = "snapstart"', "priced as us-east-1"),
        ("eu-west-1", 'warm = "provisioned"', ""),
        ("eu-west-1", "requests of 1 s", "partly priced as us-east-1"),
        ("ap-northeast-1", "requests of 1 s", ""),
        ("mars-north-1", "requests of 1 s", "priced as us-east-1"),
        (None, "requests of 1 s", "priced as us-east-1"),
    ],
)
def test_a_figure_of_another_region_is_named(region: str | None, name: str, said: str) -> None:
    _, _, last = costs(region=region)[name].basis.rpartition("; ")
    assert last == said if said else "priced as" not in last


def test_prices_are_written_without_exponents() -> None:
    assert all("e-" not in cost.basis for cost in costs(project(UPLOADS, MESSAGES), tracing=True).values())


@given(
    memory_mb=st.integers(128, 10_239),
    tmp_mb=st.integers(512, 10_240),
    warm=st.sampled_from(WARM),
    architecture=st.sampled_from(["x86_64", "arm64"]),
    region=st.sampled_from([None, "us-east-1", "eu-central-1", "ap-northeast-1", "xx-nowhere-1"]),
    unzipped_bytes=st.integers(0, 10 << 30),
)
def test_nothing_is_negative_and_more_memory_never_costs_less(
    memory_mb: int, tmp_mb: int, warm: Any, architecture: Any, region: str | None, unzipped_bytes: int
) -> None:
    options = Options(warm=warm, architecture=architecture)
    smaller, larger = (
        costs_of(
            project(UPLOADS, MESSAGES, memory_mb=mb, tmp_mb=tmp_mb),
            options,
            region=region,
            unzipped_bytes=unzipped_bytes,
        )
        for mb in (memory_mb, memory_mb + 1)
    )
    for less, more in zip(smaller, larger, strict=True):
        assert 0 <= less.usd <= more.usd
