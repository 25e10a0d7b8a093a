import pytest
from tests.fakes.entry_points import FakeDistribution, FakeEntryPoint, registry_of
from tests.fakes.provider import InMemoryProvider

from preheat.errors import MissingExtra, ProviderError
from preheat.provider.registry import Registry


def test_a_provider_is_loaded_once_and_only_when_asked_for() -> None:
    point = FakeEntryPoint("memory", InMemoryProvider())
    registry = Registry(lambda: [point])
    assert registry.names == ("memory",)
    assert point.loads == 0
    assert registry.get("memory") is registry.get("memory")
    assert point.loads == 1


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    registry = registry_of(InMemoryProvider("local"), InMemoryProvider("modal"))
    with pytest.raises(ProviderError) as caught:
        registry.get("locla")
    assert caught.value.message == "There is no provider 'locla'. Installed: local, modal."
    assert caught.value.hint == "--provider local"


def test_a_name_like_no_other_gets_no_guess() -> None:
    with pytest.raises(ProviderError) as caught:
        registry_of(InMemoryProvider("local")).get("kubernetes")
    assert caught.value.hint is None


@pytest.mark.parametrize("name", ["aws_lambda", "aws-lambda", "lambda"])
def test_a_provider_answers_to_its_other_names(name: str) -> None:
    provider = InMemoryProvider("aws_lambda")
    assert registry_of(provider).get(name) is provider


def test_an_alias_of_what_is_not_installed_is_not_suggested() -> None:
    with pytest.raises(ProviderError) as caught:
        registry_of(InMemoryProvider("local")).get("lambdaa")
    assert caught.value.hint is None


@pytest.mark.parametrize(
    ("extras", "dist", "line"),
    [
        (["aws"], FakeDistribution("preheat"), "pip install 'preheat[aws]'"),
        (["gpu"], FakeDistribution("preheat-acme"), "pip install 'preheat-acme[gpu]'"),
        ([], FakeDistribution("preheat-acme"), "pip install boto3"),
    ],
)
def test_a_missing_package_is_answered_with_the_line_that_installs_it(
    extras: list[str], dist: FakeDistribution, line: str
) -> None:
    missing = ModuleNotFoundError("No module named 'boto3'", name="boto3")
    registry = Registry(lambda: [FakeEntryPoint("aws_lambda", missing, extras=extras, dist=dist)])
    with pytest.raises(MissingExtra, match="'aws_lambda' needs the module 'boto3'") as caught:
        registry.get("lambda")
    assert caught.value.hint == line


def test_another_failure_of_a_provider_is_not_taken_for_a_missing_extra() -> None:
    registry = Registry(lambda: [FakeEntryPoint("broken", AttributeError("no such name"))])
    with pytest.raises(AttributeError):
        registry.get("broken")


def test_schemas_are_read_one_by_one_and_include_a_provider_that_is_not_installed() -> None:
    other = FakeEntryPoint("other", InMemoryProvider("other"))
    own = InMemoryProvider("own")
    schemas = Registry(lambda: [other]).schemas(own)
    assert (list(schemas), len(schemas)) == (["other", "own"], 2)
    assert schemas["own"] == own.options_schema()
    assert other.loads == 0
    assert "zone" in schemas["other"]["properties"]
    assert "missing" not in schemas


def test_the_table_of_a_provider_that_cannot_be_loaded_here_is_accepted_as_it_is() -> None:
    missing = ModuleNotFoundError("No module named 'modal'", name="modal")
    registry = Registry(lambda: [FakeEntryPoint("modal", missing, extras=["modal"])])
    assert registry.schemas(InMemoryProvider())["modal"] == {}


def test_the_local_provider_is_declared() -> None:
    assert "local" in Registry.installed().names
