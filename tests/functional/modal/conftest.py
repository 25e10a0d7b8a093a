"""A control plane per test, and one with the hand-written sample app for the tests of a module.

* `control_plane`: an empty `ControlPlane`; what it offers stands in tests/fakes/modal/plane.py.
* `client_program`: the client under test as a program, led to `control_plane` (`make test-modal-matrix`
  runs the tests beside this file and those in running/ with the oldest and the newest supported one; those
  in deploying/ have the client of this process): `.run("-m", "modal", "deploy", ...)`.
* `in_process`: leads clients that this process makes to `control_plane` while the test runs.
* `zoo`: the plane of a module, with sample/zoo.py deployed by the client under test; its containers run
  the client that deployed it. `zoo_client` calls it from this process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import modal
import pytest
from tests.fakes.modal.plane import ControlPlane
from tests.fakes.modal.versions import ClientProgram
from tests.fakes.modal.versions import client_program as program_for

SAMPLE = Path(__file__).parent / "sample"
WEIGHTS = b"hello" + bytes(9 << 20) + b"end"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == SAMPLE.parent:
            item.add_marker(pytest.mark.xdist_group(f"modal-{item.path.stem}"))
            item.add_marker(pytest.mark.runtime)
            item.add_marker(pytest.mark.index)


@pytest.fixture
def control_plane(tmp_path: Path) -> Iterator[ControlPlane]:
    with ControlPlane(_folder(tmp_path)) as plane:
        yield plane


@pytest.fixture
def client_program(control_plane: ControlPlane, tmp_path: Path) -> ClientProgram:
    return program_for(control_plane.environment(tmp_path))


@pytest.fixture
def in_process(
    control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    for name, value in control_plane.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    yield
    modal.Client.from_env().close()  # else the next test's client would be this one


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    home = tmp_path_factory.mktemp("zoo")
    with ControlPlane(_folder(home)) as plane:
        program = program_for(plane.environment(home))
        with _prepared(plane, home):
            program.run("-m", "modal", "deploy", "zoo.py", folder=SAMPLE)
        yield plane


@pytest.fixture
def zoo_client(zoo: ControlPlane) -> Iterator[modal.Client]:
    with zoo.client() as client:
        yield client


@contextmanager
def _prepared(plane: ControlPlane, home: Path) -> Iterator[None]:
    (home / "model.bin").write_bytes(WEIGHTS)
    with plane.client() as client:
        modal.Secret.objects.create("keys", {"KEY": "of-the-zoo"}, client=client)
        volume = modal.Volume.from_name("weights", create_if_missing=True, client=client)
        with volume.batch_upload() as batch:
            batch.put_file(home / "model.bin", "/model.bin")
    yield


def _folder(home: Path) -> Path:
    folder = home / "plane"
    folder.mkdir()
    return folder
