"""The conformance suite: every provider passes it, each where `SURROUNDINGS` runs it.

`pytest tests/contract --provider NAME` picks one; one that is not named there finds its platform itself.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from tests.fakes.aws.cloud import OPTIONS, SETTINGS, account
from tests.fakes.functions import Functions
from tests.fakes.modal import account as modal_account

from preheat.project.home import home
from preheat.provider.protocol import Provider
from preheat.provider.registry import Registry
from preheat_providers.local.client import SupervisorClient


@contextmanager
def _supervisor() -> Iterator[None]:
    yield
    SupervisorClient(home()).shut_down()  # it runs for all functions, and so no destroy ends it


SURROUNDINGS: Mapping[str, Callable[[], AbstractContextManager[object]]] = {
    "local": _supervisor,
    "aws_lambda": account,
    "modal": modal_account.workspace,
}
REAL = "PREHEAT_REAL"
"""The variable that names a provider to run the suite against as it is, with the shell's own credentials."""
PROJECTS: Mapping[str, Mapping[str, Any]] = {
    "aws_lambda": {"settings": SETTINGS, "options": OPTIONS},
    "modal": {"settings": modal_account.SETTINGS, "options": modal_account.OPTIONS},
}
"""What a provider's projects say beside what lies here, so that they run on this machine."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--provider",
        action="append",
        metavar="NAME",
        help=f"a provider to run the suite against, once or more; {' and '.join(SURROUNDINGS)} without it",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "provider" in metafunc.fixturenames:
        names = metafunc.config.getoption("--provider", None) or list(SURROUNDINGS)
        metafunc.parametrize("provider", names, indirect=True, scope="package")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the suite of one provider in one process: its functions are deployed once."""
    for item in items:
        if "tests/contract/" in item.path.as_posix():
            assert isinstance(item, pytest.Function)
            name = item.callspec.params["provider"]
            item.add_marker(pytest.mark.xdist_group(f"contract-{name}"))
            item.add_marker(pytest.mark.runtime)


@pytest.fixture(scope="package")
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The provider under test, with local state of its own."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PREHEAT_HOME", str(tmp_path_factory.mktemp("home")))
        is_real = request.param == os.environ.get(REAL)
        with nullcontext() if is_real else SURROUNDINGS.get(request.param, nullcontext)():
            yield Registry.installed().get(request.param)


@pytest.fixture(scope="package")
def functions(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    """The projects beside this file, each deployed when it is first asked for, and destroyed at the end."""
    functions = Functions(provider, tmp_path_factory.mktemp("projects"), **PROJECTS.get(provider.name, {}))
    yield functions
    functions.destroy_all()
