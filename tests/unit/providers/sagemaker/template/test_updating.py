from typing import Any

import pytest
from tests.fakes.sagemaker_templates import template

from preheat.project.model import Scaling
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.updating import first_step, update_problem

SCALED = {"Instances", "BacklogPolicy", "WakePolicy", "WakeAlarm"}


def with_machine(name: str) -> dict[str, Any]:
    return template(options=Options(instance_type=name))


def test_another_machine_needs_what_scales_to_go_first_and_nothing_else_to_change() -> None:
    before = with_machine("ml.c5.large")
    step = first_step(before, with_machine("ml.c5.xlarge"))
    assert step is not None
    kept = {name: each for name, each in before["Resources"].items() if name not in SCALED}
    assert step == {**before, "Resources": kept}


def test_a_step_that_was_taken_already_is_not_taken_twice() -> None:
    before, after = with_machine("ml.c5.large"), with_machine("ml.c5.xlarge")
    step = first_step(before, after)
    assert step is not None
    assert first_step(step, after) is None


def test_another_image_is_one_step() -> None:
    assert first_step(template(), template(image=f"sha256:{'1' * 64}")) is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("serverless", "async", "is serverless, and SageMaker does not update one to be on instances"),
        ("async", "serverless", "is on instances, and SageMaker does not update one to be serverless"),
    ],
)
def test_instances_do_not_become_serverless_nor_the_other_way_round(
    before: Any, after: Any, said: str
) -> None:
    problem = update_problem(template(options=Options(mode=before)), template(options=Options(mode=after)))
    assert problem is not None
    assert said in problem


def test_everything_else_may_change() -> None:
    kept = template(scaling=Scaling(min=2))
    assert update_problem(template(), kept) is None
    assert update_problem({"Resources": {}}, template(options=Options(mode="serverless"))) is None
