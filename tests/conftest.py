"""For every test: the same inputs on every run of CI, Ctrl-C as in a terminal, and no start under way."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from tests.fakes.interrupts import interrupts_heard

from preheat.interface.starting import START

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True, scope="session")
def _interrupts() -> Iterator[None]:
    with interrupts_heard():
        yield


@pytest.fixture(autouse=True)
def _no_start() -> Iterator[None]:
    """Leave no start under way for the next test: the state is the process's, as in a worker."""
    yield
    START.context, START.settled = None, False
