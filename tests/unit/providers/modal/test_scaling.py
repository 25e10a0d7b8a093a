from typing import Any

import pytest
from tests.fakes.modal_specs import project_of
from tests.fakes.models import model_of

import preheat
from preheat.project.model import Scaling
from preheat.runtime.engine import concurrency_of
from preheat_providers.modal.app.spec import Scale
from preheat_providers.modal.options import Options
from preheat_providers.modal.scaling import inputs_of, scale_of


class Plain(preheat.Handler):
    def predict(self, number: int) -> int:
        return number


class Batched(preheat.Handler):
    @preheat.batched(max_size=8)
    def predict(self, numbers: list[int]) -> list[int]:
        return numbers


class Threaded(preheat.Handler):
    @preheat.threaded(threads=3)
    def predict(self, number: int) -> int:
        return number


class Async(preheat.Handler):
    async def predict(self, number: int) -> int:
        return number


@pytest.mark.parametrize("handler", [Plain, Batched, Threaded, Async])
def test_modal_aims_at_what_the_engine_takes_at_once_and_hands_over_one_more(
    handler: type[preheat.Handler],
) -> None:
    contract = model_of(handler).contract
    at_once = concurrency_of(contract)
    assert inputs_of(project_of(), Options(), contract.document()) == (at_once + 1, at_once)


@pytest.mark.parametrize(
    ("options", "scaling", "at_once"),
    [
        (Options(concurrency=5), Scaling(concurrency=9), 5),
        (Options(), Scaling(concurrency=9), 9),
        (Options(), Scaling(), 1),
    ],
)
def test_what_preheat_toml_says_counts_more(options: Options, scaling: Scaling, at_once: int) -> None:
    assert inputs_of(project_of(scaling=scaling), options, None) == (at_once + 1, at_once)


def test_containers_are_those_of_scaling_unless_the_provider_says_otherwise() -> None:
    scaling = Scaling(min=1, max=4, warm=2, idle_s=30.5)
    assert scale_of(project_of(scaling=scaling), Options()) == Scale(
        min_containers=1, max_containers=4, buffer_containers=2, scaledown_window=31
    )
    said: dict[str, Any] = {
        "min_containers": 0,
        "max_containers": 9,
        "buffer_containers": 0,
        "scaledown_window": 2,
    }
    assert scale_of(project_of(scaling=scaling), Options(**said)) == Scale(**said)
