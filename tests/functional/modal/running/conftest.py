"""Deployments to one control plane, which all tests of running containers share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.modal.harbour import Harbour, Shipped
from tests.fakes.modal.plane import ControlPlane

ZOO = Path(__file__).parent / "zoo"
Zoo = Callable[..., Shipped]
"""Deploys the zoo with one of its handlers, and with changes of its spec; see Harbour.ship."""


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture(scope="session")
def harbour(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    harbour = Harbour(plane, tmp_path_factory.mktemp("harbour"))
    yield harbour
    harbour.close()


@pytest.fixture(scope="session")
def zoo(harbour: Harbour) -> Zoo:
    def ship(animal: str = "Tiger", **changes: Any) -> Shipped:
        return harbour.ship(ZOO, {"zoo:Tiger": f"zoo:{animal}"}, **changes)

    return ship


@pytest.fixture(scope="session")
def tiger(zoo: Zoo) -> Shipped:
    """The zoo's tiger, for tests that leave it as it is."""
    return zoo()
