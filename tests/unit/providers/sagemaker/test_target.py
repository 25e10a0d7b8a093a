from typing import Any

import pytest
from tests.fakes.sagemaker_templates import project

from preheat.project.model import Scaling
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.target import concurrent_of, target_of

BATCHED = {"batching": {"max_size": 8, "max_wait_ms": 5.0, "grouped": False}}


def test_a_bundle_is_for_the_linux_of_every_machine_and_one_python() -> None:
    target = target_of(project(), Options())
    assert (target.provider, target.platform, target.python) == ("sagemaker", "x86_64-manylinux_2_28", "3.12")
    assert target_of(project(python="3.11"), Options()).python == "3.11"


def test_weights_from_s3_are_no_part_of_the_image() -> None:
    assert target_of(project(), Options()).apart == ()
    assert target_of(project(), Options(weights="s3")).apart == ("weights",)


@pytest.mark.parametrize(
    ("options", "scaling", "contract", "concurrent"),
    [
        (Options(max_concurrent=2), Scaling(concurrency=3), BATCHED, 2),
        (Options(), Scaling(concurrency=3), BATCHED, 3),
        (Options(), Scaling(concurrency=5000), BATCHED, 1000),
        (Options(), Scaling(), BATCHED, 8),
        (Options(), Scaling(), {"batching": None}, None),
        (Options(), Scaling(), None, None),
    ],
)
def test_an_instance_takes_at_once_what_the_first_who_knows_says(
    options: Options, scaling: Scaling, contract: dict[str, Any] | None, concurrent: int | None
) -> None:
    assert concurrent_of(project(scaling=scaling), options, contract) == concurrent
