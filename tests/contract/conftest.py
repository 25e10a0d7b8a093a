"""The conformance suite: every provider passes it. `pytest tests/contract --provider NAME` picks one."""

from collections.abc import Callable, Iterator

import pytest
from tests.fakes.functions import Functions

from preheat.project.home import home
from preheat.provider.protocol import Provider
from preheat.provider.registry import Registry
from preheat_providers.local.client import SupervisorClient


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--provider", default="local", metavar="NAME", help="the provider that the suite runs against"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the suite in one process: its functions are deployed once."""
    for item in items:
        if "tests/contract/" in item.path.as_posix():
            item.add_marker(pytest.mark.xdist_group("contract"))
            item.add_marker(pytest.mark.runtime)


@pytest.fixture(scope="session")
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The provider under test, with local state of its own."""
    name = request.config.getoption("--provider", "local")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PREHEAT_HOME", str(tmp_path_factory.mktemp("home")))
        found = Registry.installed().get(name)
        yield found
        AFTERWARDS.get(found.name, lambda: None)()


@pytest.fixture(scope="session")
def functions(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """The projects beside this file, each deployed when it is first asked for, and destroyed at the end."""
    functions = Functions(provider, tmp_path_factory.mktemp("projects"))
    yield functions
    functions.destroy_all()


def _stop_supervisor() -> None:
    SupervisorClient(home()).shut_down()


AFTERWARDS: dict[str, Callable[[], None]] = {"local": _stop_supervisor}
"""What a provider keeps running on this machine for all functions, and so no destroy ends."""
