from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.sagemaker_templates import template

from preheat.errors import ProviderError
from preheat.project.model import Scaling
from preheat_providers._aws.stacks import Stack
from preheat_providers.sagemaker.operating.releases import Released
from preheat_providers.sagemaker.operating.traffic import (
    NEWEST,
    checked_canary,
    deployment_config,
    rolled_back,
    traffic_of,
)
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.place import Live

RELEASES = tuple(
    Released(number=number, config=f"config-{number}", model=f"model-{number}", digest="sha256:0")
    for number in (4, 3, 1)
)


def live(config: str, instances: int = 4) -> Live:
    stack = Stack(
        name="s",
        id="i",
        status="UPDATE_COMPLETE",
        reason=None,
        template={},
        parameters={},
        outputs={},
        tags={},
    )
    endpoint: Any = {
        "EndpointName": "preheat-ocr-dev",
        "EndpointConfigName": config,
        "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": instances}],
    }
    return Live(stack=stack, endpoint=endpoint, releases=RELEASES)


@pytest.mark.parametrize(("active", "wanted", "number"), [(0, None, 3), (1, None, 1), (0, 1, 1), (2, 4, 4)])
def test_a_rollback_goes_to_the_release_before_or_to_the_one_that_is_named(
    active: int, wanted: int | None, number: int
) -> None:
    assert rolled_back("ocr", RELEASES, RELEASES[active], wanted).number == number


def test_a_rollback_does_not_go_to_what_was_rolled_back_itself() -> None:
    better = replace(RELEASES[0], before=1)
    assert rolled_back("ocr", (better, *RELEASES[1:]), better, None).number == 1


def test_before_the_first_release_there_is_none() -> None:
    with pytest.raises(ProviderError, match="no release before 1"):
        rolled_back("ocr", RELEASES, RELEASES[2], None)


def test_a_release_that_is_gone_is_named_with_those_that_are_there() -> None:
    with pytest.raises(ProviderError, match=r"no release 2\. There are 4, 3, 1\.") as caught:
        rolled_back("ocr", RELEASES, RELEASES[0], 2)
    assert caught.value.hint == "preheat rollback ocr 4 --provider sagemaker"


@pytest.mark.parametrize("share", [0.0, 0.51, -1.0])
def test_a_canary_is_at_most_half_of_the_instances(share: float) -> None:
    with pytest.raises(ProviderError, match=r"up to 0\.5"):
        checked_canary("ocr", live("config-3"), share)


def test_a_canary_needs_another_release_and_two_instances() -> None:
    assert checked_canary("ocr", live("config-3"), 0.5) == 0.5
    with pytest.raises(ProviderError, match="Release 4 of ocr serves already"):
        checked_canary("ocr", live("config-4"), 0.5)
    with pytest.raises(ProviderError, match="needs two instances, and 1 run"):
        checked_canary("ocr", live("config-3", instances=1), 0.5)


def test_the_update_is_that_of_the_stack_with_the_names_of_its_alarms() -> None:
    made = template(scaling=Scaling(min=4, max=8), options=Options(canary_percent=30, canary_minutes=2))
    config = deployment_config(made, None)
    assert config["AutoRollbackConfiguration"] == {
        "Alarms": [{"AlarmName": "preheat-ocr-dev-endpoint-errors"}]
    }
    routing = config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["CanarySize"] == {"Type": "INSTANCE_COUNT", "Value": 1}


def test_a_canary_waits_as_long_as_the_stack_watches_an_update() -> None:
    made = template(options=Options(canary_minutes=2))
    routing = deployment_config(made, 0.2)["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing == {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 120,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20},
    }


def test_an_endpoint_without_instances_is_updated_as_sagemaker_does_it() -> None:
    assert deployment_config(template(options=Options(mode="serverless")), None) == {}


def test_the_traffic_is_told_by_the_release_that_answers() -> None:
    assert traffic_of(live("config-4")) == NEWEST
    assert traffic_of(live("config-3")) == "all to release 3"


def test_what_is_no_release_of_ours_is_said() -> None:
    with pytest.raises(ProviderError, match="runs theirs, which is not ours"):
        _ = live("theirs").active
    assert replace(live("config-1")).active.number == 1
