from itertools import permutations
from typing import Any, get_args

import pytest
from tests.fakes.sagemaker_templates import template

from preheat.project.model import Scaling
from preheat_providers.sagemaker.options import Mode, Options
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


@pytest.mark.parametrize(("before", "after"), [*permutations(get_args(Mode), 2)])
def test_an_endpoint_of_one_mode_does_not_become_one_of_another(before: Mode, after: Mode) -> None:
    problem = update_problem(template(options=Options(mode=before)), template(options=Options(mode=after)))
    said = f'has mode = "{before}", and SageMaker does not update one to be "{after}"'
    assert problem is not None
    assert said in problem


@pytest.mark.parametrize("mode", get_args(Mode))
def test_everything_else_may_change(mode: Mode) -> None:
    before, after = (template(options=Options(mode=mode), scaling=Scaling(min=least)) for least in (1, 2))
    assert update_problem(before, after) is None
