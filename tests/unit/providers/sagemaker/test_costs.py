from typing import Any

import pytest
from tests.fakes.sagemaker_templates import project

from preheat.plan.model import Cost
from preheat.project.model import Project, Resources, Scaling
from preheat_providers._aws.hours import ScheduledHours
from preheat_providers.sagemaker.costs import costs_of
from preheat_providers.sagemaker.options import Options

G5 = Resources(gpu="A10G", memory_mb=8192)
G5_HOUR = 1.408
HOURS = (ScheduledHours(cron="0 8 * * 1-5", min=2, max=4), ScheduledHours(cron="0 20 * * 1-5", min=0, max=4))


def costs(of: Project | None = None, region: str | None = "us-east-1", **options: Any) -> dict[str, Cost]:
    found = costs_of(of or project(resources=G5), Options(**options), region=region)
    assert len({cost.name for cost in found}) == len(found)
    return {cost.name: cost for cost in found}


def test_an_hour_is_the_price_of_the_machine() -> None:
    cost = costs()["an hour of ml.g5.xlarge"]
    assert (cost.usd, cost.unit) == (G5_HOUR, "hour")


@pytest.mark.parametrize(
    ("scaling", "options", "chosen"),
    [
        (Scaling(), {}, "warm = 0"),
        (Scaling(min=1), {}, "warm = 1"),
        (Scaling(warm=2), {}, "warm = 2"),
        (Scaling(), {"schedule": HOURS}, "schedule"),
        (Scaling(min=1), {"mode": "realtime"}, "warm = 1"),
    ],
)
def test_the_way_that_the_project_has_is_the_chosen_month(
    scaling: Scaling, options: dict[str, Any], chosen: str
) -> None:
    found = costs(project(resources=G5, scaling=scaling), **options)
    assert [name for name, cost in found.items() if cost.unit == "month" and cost.chosen] == [chosen]


def test_a_month_asleep_costs_nothing_and_one_awake_730_hours() -> None:
    found = costs()
    assert found["warm = 0"].usd == 0
    assert found["warm = 1"].usd == pytest.approx(730 * G5_HOUR)
    kept = costs(project(resources=G5, scaling=Scaling(min=3)))["warm = 3"]
    assert kept.usd == pytest.approx(3 * 730 * G5_HOUR)


def test_a_real_time_endpoint_has_no_month_asleep_no_way_down_and_none_up() -> None:
    found = costs(project(resources=G5, scaling=Scaling(min=1)), mode="realtime")
    assert not {"warm = 0", "back to zero", "up from zero"} & found.keys()


def test_a_schedule_is_priced_at_its_average() -> None:
    found = costs(schedule=HOURS)["schedule"]
    assert found.usd == pytest.approx(2 * 60 / 168 * 730 * G5_HOUR, rel=1e-4)
    assert "0.71 on average" in found.basis


def test_the_way_back_to_zero_is_what_aws_waits_and_the_cooldown() -> None:
    found = costs(project(resources=G5, scaling=Scaling(idle_s=300)))["back to zero"]
    assert found.unit == "time"
    assert found.usd == pytest.approx((900 + 300) / 3600 * G5_HOUR)
    assert "15 min" in found.basis


def test_the_way_up_is_a_published_range_that_nobody_here_measured() -> None:
    found = costs()["up from zero"]
    assert found.usd == pytest.approx(600 / 3600 * G5_HOUR)
    assert "5 to 10 min" in found.basis
    assert "https://" in found.basis
    assert "not measured by preheat" in found.basis


def test_requests_cost_the_time_of_a_busy_machine_and_its_front() -> None:
    one = costs()["requests of 1 s"]
    front = 2000 * 0.0000002 + 2000 * 0.025 * 0.0000166667 + 2000 * 0.000005 + 2000 * 0.0000004
    assert one.unit == "1000 requests"
    assert one.usd == pytest.approx(1000 / 3600 * G5_HOUR + front)
    four = costs(max_concurrent=4)["requests of 1 s"]
    assert four.usd == pytest.approx(1000 / 4 / 3600 * G5_HOUR + front)


def test_a_serverless_endpoint_costs_its_memory_while_it_works() -> None:
    found = costs(project(resources=Resources(memory_mb=2048)), mode="serverless")
    assert found["no requests"].usd == 0
    front = 1000 * 0.0000002 + 1000 * 0.025 * 0.0000166667
    assert found["requests of 10 s"].usd == pytest.approx(1000 * 10 * 2 * 0.00002 + front)


def test_a_machine_without_a_known_price_has_no_costs_rather_than_wrong_ones() -> None:
    assert costs(project(resources=Resources(gpu="H100:8"))) == {}


@pytest.mark.parametrize(
    ("region", "said"), [("us-east-1", False), ("eu-central-1", True), (None, True), ("ap-northeast-1", True)]
)
def test_a_figure_of_another_region_is_named(region: str | None, said: bool) -> None:
    assert ("priced as us-east-1" in costs(region=region)["an hour of ml.g5.xlarge"].basis) is said
