"""Deploys through the provider, as the command line makes them: the real client, against the control plane.

What this shows and what not stands in tests/fakes/modal/plane.py. Nothing here has run against Modal.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.functions import Functions
from tests.fakes.modal.account import OPTIONS, SETTINGS, workspace
from tests.fakes.modal.plane import ControlPlane

from preheat_providers.modal.provider import ModalProvider

PROJECTS = Path(__file__).parent / "projects"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process: they share the control plane."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("modal-deploying"))
            item.add_marker(pytest.mark.runtime)
            item.add_marker(pytest.mark.index)


@pytest.fixture(scope="package")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PREHEAT_HOME", str(tmp_path_factory.mktemp("home")))
        with workspace() as plane:
            yield plane


@pytest.fixture(scope="module", autouse=True)
def _no_container_stays(plane: ControlPlane) -> Iterator[None]:
    """Leave the machine to the other tests: the plane lives as long as the process."""
    yield
    plane.clear()


@pytest.fixture
def provider(plane: ControlPlane) -> ModalProvider:
    """A provider that remembers nothing of other tests."""
    return ModalProvider()


@pytest.fixture
def functions(provider: ModalProvider, tmp_path: Path) -> Functions:
    """The projects beside this file, by name."""
    return Functions(provider, tmp_path, projects=PROJECTS, settings=SETTINGS, options=OPTIONS)
