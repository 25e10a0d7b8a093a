import asyncio
from typing import Any

import pytest
from tests.fakes.engine import FakeEngine

import preheat
from preheat.errors import HandlerFailed
from preheat.interface.contract import read_contract
from preheat.interface.message import Request, Response
from preheat.interface.problem import problem_response
from preheat.runtime.examples import ExampleFailed, run_examples


class Model(preheat.Handler):
    def predict(self, number: int) -> int:
        return number


CONTRACT = read_contract(Model, "app:Model")


def failing(*logged: str) -> ExampleFailed:
    async def fail(request: Request) -> Response:
        return problem_response(HandlerFailed("The logs tell more."))

    events: list[dict[str, Any]] = [{"request_id": "example-0", "message": message} for message in logged]
    with pytest.raises(ExampleFailed) as caught:
        asyncio.run(run_examples(FakeEngine(fail), CONTRACT, [1], logged=events))
    return caught.value


def test_the_examples_and_their_answers_are_json_values() -> None:
    assert asyncio.run(run_examples(FakeEngine(), CONTRACT, [1, 2])) == ([1, 2], [1, 2])


def test_what_the_log_says_of_a_failure_is_told() -> None:
    assert failing("expected int, got str").message == "examples()[0] was answered 500: expected int, got str"
    assert failing().message == "examples()[0] was answered 500: The logs tell more."


@pytest.mark.parametrize(
    ("told", "hint"),
    [
        ("expected list, got numpy.ndarray.", "return result.tolist()"),
        ("expected tuple, got torch.Tensor.", "return result.tolist()"),
        ("expected Out, got dict.", "return Out(**result)"),
        ("expected Out | None, got dict.", "return Out(**result)"),
        ("expected str, got dict.", None),
        ("expected list, got set.", None),
    ],
)
def test_a_result_that_does_not_fit_has_the_line_that_makes_it_fit_where_one_is_known(
    told: str, hint: str | None
) -> None:
    assert failing(f"The result does not fit: {told}").hint == hint


@pytest.mark.parametrize("example", ["text", [1], None])
def test_an_example_that_does_not_fit_is_no_result(example: object) -> None:
    with pytest.raises(ExampleFailed, match=r"examples\(\)\[1\] does not fit predict's input, int: expected"):
        asyncio.run(run_examples(FakeEngine(), CONTRACT, [1, example]))
