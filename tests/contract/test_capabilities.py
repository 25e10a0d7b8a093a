"""What a provider says of itself is true: what it cannot do is refused by check, before anything is built."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.fakes.surroundings import Surroundings

from preheat.project.model import (
    HttpTrigger,
    ObjectCreated,
    Project,
    QueueTrigger,
    Resources,
    Schedule,
    Trigger,
)
from preheat.provider.protocol import Provider

Of = Callable[..., Project]
TRIGGERS: dict[str, Trigger] = {
    "object-created": ObjectCreated(name="uploads", bucket="in", output="out/results"),
    "queue": QueueTrigger(name="work", queue="jobs"),
    "schedule": Schedule(name="nightly", cron="0 3 * * *"),
}


@pytest.fixture
def project(provider: Provider, surroundings: Surroundings) -> Of:
    """Makes a project that has of the provider's table what every one has here."""
    table = {provider.name: surroundings.options}

    def make(**fields: Any) -> Project:
        return Project(
            root=Path("nowhere"),
            stage="dev",
            name="demo",
            handler="handler:Model",
            provider=table,
            **fields,
        )

    return make


def test_a_plain_project_is_taken(provider: Provider, project: Of) -> None:
    assert provider.check(project()) == ()


@pytest.mark.parametrize("kind", sorted(TRIGGERS))
def test_a_trigger_is_taken_exactly_if_it_is_among_the_capabilities(
    provider: Provider, project: Of, kind: str
) -> None:
    findings = provider.check(project(triggers=(HttpTrigger(), TRIGGERS[kind])))
    assert (findings == ()) == (kind in provider.capabilities.triggers)
    assert all(TRIGGERS[kind].name in str(finding) or kind in str(finding) for finding in findings)


@pytest.mark.parametrize("auth", ["none", "token"])
def test_a_kind_of_auth_is_taken_exactly_if_it_is_among_the_capabilities(
    provider: Provider, project: Of, auth: str
) -> None:
    trigger = HttpTrigger(auth="none" if auth == "none" else "token")
    findings = provider.check(project(triggers=(trigger,)))
    assert (findings == ()) == (auth in provider.capabilities.auth)


def test_a_gpu_is_taken_exactly_if_there_are_any(provider: Provider, project: Of) -> None:
    findings = provider.check(project(resources=Resources(gpu="any")))
    assert (findings == ()) == provider.capabilities.gpu
    assert all("gpu" in str(finding).lower() for finding in findings)


def test_more_memory_than_there_is_is_refused_with_the_limit(provider: Provider, project: Of) -> None:
    limit = provider.capabilities.max_memory_mb
    if limit is None:
        pytest.skip(f"{provider.name} sets no limit")
    assert provider.check(project(resources=Resources(memory_mb=limit))) == ()
    findings = provider.check(project(resources=Resources(memory_mb=limit + 1)))
    assert any(str(limit) in finding.message for finding in findings)


def test_more_time_than_there_is_is_refused_with_the_limit(provider: Provider, project: Of) -> None:
    limit = provider.capabilities.max_timeout_s
    if limit is None:
        pytest.skip(f"{provider.name} sets no limit")
    findings = provider.check(project(resources=Resources(timeout_s=limit + 1)))
    assert any(f"{limit:g}" in finding.message for finding in findings)


def test_the_target_carries_the_size_limit(provider: Provider, project: Of) -> None:
    target = provider.target(project(python="3.12"))
    assert target.provider == provider.name
    assert target.python == "3.12"
    assert target.unzipped_limit == provider.capabilities.max_unzipped_bytes


def test_the_options_have_a_schema_that_refuses_unknown_keys(provider: Provider) -> None:
    schema = provider.options_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid({})
    assert not validator.is_valid({"no-such-option": 1})


def test_http_is_always_among_the_triggers(provider: Provider) -> None:
    assert "http" in provider.capabilities.triggers
    assert provider.capabilities.triggers <= {"http", *TRIGGERS}
