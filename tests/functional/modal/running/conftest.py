"""Deployments to one control plane, which all tests of running containers share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.modal.harbour import Harbour, Shipped
from tests.fakes.modal.plane import ControlPlane

ZOO = Path(__file__).parent / "zoo"
Zoo = Callable[..., Shipped]
"""Deploys the zoo with one of its handlers, a time limit, and changes of its spec; see Harbour.ship."""


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture(scope="module", autouse=True)
def _no_container_stays(plane: ControlPlane) -> Iterator[None]:
    """Leave the machine to the other tests: the plane lives as long as the process."""
    yield
    plane.clear()


@pytest.fixture(scope="session")
def harbour(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    harbour = Harbour(plane, tmp_path_factory.mktemp("harbour"))
    yield harbour
    harbour.close()


@pytest.fixture(scope="session")
def zoo(harbour: Harbour) -> Zoo:
    def ship(animal: str = "Tiger", *, timeout_s: int = 60, **changes: Any) -> Shipped:
        texts = {"zoo:Tiger": f"zoo:{animal}", "timeout_s = 60": f"timeout_s = {timeout_s}"}
        return harbour.ship(ZOO, texts, **changes)

    return ship


@pytest.fixture(scope="session")
def tiger(zoo: Zoo) -> Shipped:
    """The zoo's tiger, for tests that leave it as it is."""
    return zoo()
