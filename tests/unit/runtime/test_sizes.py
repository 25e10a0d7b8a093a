import numpy as np
import pytest

from preheat.errors import BadInput
from preheat.runtime.attempts import CallFailed
from preheat.runtime.sizes import size_of


@pytest.mark.parametrize("given", [0, 7, 2.5, True, np.int64(7), np.float32(0.5), 10**12])
def test_a_size_is_any_number_from_zero_on(given: float) -> None:
    assert size_of(lambda value: value, given) == float(given)


@pytest.mark.parametrize(
    "given", [-1, -0.001, float("nan"), float("inf"), 10**13, 10**400, None, "7", [7], 3j, np.zeros(2)]
)
def test_what_is_no_size_fails_that_request_and_is_named(given: float) -> None:
    with pytest.raises(CallFailed) as caught:
        size_of(lambda value: value, given)
    assert f"returned {given!r}" in str(caught.value.error)
    assert "it returns a number from 0 to 1e+12" in str(caught.value.error)


@pytest.mark.parametrize("error", [KeyError("text"), BadInput("too long"), SystemExit(3)])
def test_what_size_raises_is_what_the_handler_raised(error: BaseException) -> None:
    def size(value: object) -> float:
        raise error

    with pytest.raises(CallFailed) as caught:
        size_of(size, "a")
    assert caught.value.error is error
