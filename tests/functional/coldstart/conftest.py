from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.local import project
from tests.fakes.rehearsing import LaidBuild

from preheat.coldstart.starting import Starter
from preheat.coldstart.subject import Subject, subject_of
from preheat_providers.local.provider import LocalProvider

Made = Callable[..., Subject]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.runtime)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of the module's own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("PREHEAT_HOME", str(folder))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield folder


@pytest.fixture(scope="module")
def made(home: Path) -> Made:
    """Make what to measure of a handler's source."""

    def make(source: str, **settings: object) -> Subject:
        limits = settings.pop("limits", None)
        of = project(limits=limits) if limits else project()
        build = LaidBuild(home / "layers", source, **settings)  # type: ignore[arg-type]
        return subject_of(build.bundle(of), of, LocalProvider())

    return make


@pytest.fixture
def starter(tmp_path: Path) -> Callable[[Subject], Starter]:
    """Make what starts a subject."""

    def make(subject: Subject) -> Starter:
        return Starter(
            interpreter=subject.interpreter,
            folder=tmp_path,
            request=subject.request,
            limit_s=subject.limit_s,
        )

    return make
