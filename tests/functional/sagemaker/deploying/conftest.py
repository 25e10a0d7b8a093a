from collections.abc import Iterator

import pytest
from tests.fakes.functions import Function, Functions
from tests.fakes.sagemaker.account import Account

from preheat.progress import quiet


@pytest.fixture
def words(functions: Functions, account: Account) -> Iterator[Function]:
    """A function that this test alone changes, not deployed yet."""
    function = functions.fresh("words")
    yield function
    account.plane.courses.clear()
    if function.provider.status(function.name, function.stage):
        function.provider.destroy(function.name, function.stage, report=quiet)
