"""@preheat.batched, @preheat.cached and @preheat.threaded with and without brackets."""

from typing import Any

import pytest

import preheat
from preheat.interface.batching import batching_of
from preheat.interface.caching import caching_of


def predict(self: object, texts: list[str]) -> list[str]:
    return texts


def test_without_brackets_the_defaults_hold() -> None:
    bare, called = preheat.batched(predict), preheat.batched()(predict)
    assert bare is called is predict
    assert batching_of(preheat.batched(predict)) == batching_of(preheat.batched()(predict))
    assert caching_of(preheat.cached(predict)) == caching_of(preheat.cached()(predict))


@pytest.mark.parametrize("decorator", [preheat.batched, preheat.cached, preheat.threaded])
def test_a_setting_without_its_name_is_told_how_to_write_it(decorator: Any) -> None:
    with pytest.raises(TypeError, match=rf"by name: @preheat\.{decorator.__name__}\(\w+=\d+\)"):
        decorator(32)
