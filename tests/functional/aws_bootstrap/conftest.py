from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.fakes.aws.bootstrapping import Account
from tests.fakes.aws.ministack import Ministack

NUMBERS = count(100_000_000_001)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process: they share the server."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("aws-bootstrap"))
            item.add_marker(pytest.mark.index)


@pytest.fixture(scope="package")
def endpoint() -> Iterator[str]:
    """An AWS of the tests' own."""
    with Ministack() as server:
        yield server.endpoint


@pytest.fixture
def account(endpoint: str) -> Account:
    """An account in which nothing is."""
    return Account(endpoint, str(next(NUMBERS)))
