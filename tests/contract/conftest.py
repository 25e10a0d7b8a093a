"""The conformance suite: every provider passes it, each where `SURROUNDINGS` runs it.

`pytest tests/contract --provider NAME` picks one; one that is not named there finds its platform itself.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

import pytest
from tests.fakes.aws.cloud import OPTIONS, SETTINGS, account
from tests.fakes.functions import Functions
from tests.fakes.modal import account as modal_account
from tests.fakes.sagemaker.workplace import workplace
from tests.fakes.surroundings import Surroundings

from preheat.project.home import home
from preheat.provider.protocol import Provider
from preheat.provider.registry import Registry
from preheat_providers.local.client import SupervisorClient


@contextmanager
def _supervisor() -> Iterator[Surroundings]:
    yield Surroundings()
    SupervisorClient(home()).shut_down()  # it runs for all functions, and so no destroy ends it


@contextmanager
def _account() -> Iterator[Surroundings]:
    with account():
        yield Surroundings(settings=SETTINGS, options=OPTIONS)


@contextmanager
def _workspace() -> Iterator[Surroundings]:
    with modal_account.workspace():
        yield Surroundings(settings=modal_account.SETTINGS, options=modal_account.OPTIONS)


SURROUNDINGS: Mapping[str, Callable[[], AbstractContextManager[Surroundings]]] = {
    "local": _supervisor,
    "aws_lambda": _account,
    "sagemaker": workplace,
    "modal": _workspace,
}
DEPARTURES: Mapping[str, Mapping[str, str]] = {
    "sagemaker": {
        "test_the_request_after_one_that_took_too_long_is_answered": "SageMaker tells no container of the "
        "time limit of one request: it works on, and what waits behind it is lost when it is replaced",
    }
}
"""What a provider does not hold to, by test, and why."""
REAL = "PREHEAT_REAL"
"""The variable that names a provider to run the suite against as it is, with the shell's own credentials."""


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
        metafunc.parametrize("surroundings", names, indirect=True, scope="package")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the suite of one provider in one process: its functions are deployed once; expect departures."""
    for item in items:
        if "tests/contract/" in item.path.as_posix():
            assert isinstance(item, pytest.Function)
            name = str(item.callspec.params["surroundings"])
            item.add_marker(pytest.mark.xdist_group(f"contract-{name}"))
            item.add_marker(pytest.mark.runtime)
            if (reason := DEPARTURES.get(name, {}).get(item.originalname)) is not None:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(scope="package")
def surroundings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Surroundings]:
    """Where the provider under test runs, with local state of its own."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PREHEAT_HOME", str(tmp_path_factory.mktemp("home")))
        is_known = request.param in SURROUNDINGS and request.param != os.environ.get(REAL)
        with SURROUNDINGS[request.param]() if is_known else nullcontext(Surroundings()) as found:
            yield replace(found, provider=found.provider or Registry.installed().get(request.param))


@pytest.fixture(scope="package")
def provider(surroundings: Surroundings) -> Provider:
    """The provider under test."""
    assert surroundings.provider is not None
    return surroundings.provider


@pytest.fixture(scope="package")
def functions(
    provider: Provider, surroundings: Surroundings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Functions]:
    """The projects beside this file, each deployed when it is first asked for, and destroyed at the end."""
    functions = Functions(
        provider,
        tmp_path_factory.mktemp("projects"),
        settings=surroundings.settings,
        options=surroundings.options,
    )
    yield functions
    functions.destroy_all()
