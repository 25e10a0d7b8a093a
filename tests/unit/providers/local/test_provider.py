import re
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from tests.fakes.local import UPPER, Local, project

from preheat.errors import NotDeployed, ProviderError
from preheat.project.model import HttpTrigger, QueueTrigger
from preheat.provider.protocol import Provider
from preheat_providers.local.client import SupervisorClient
from preheat_providers.local.provider import LocalProvider, local_provider, native_platform


@pytest.fixture
def provider(tmp_path: Path) -> LocalProvider:
    return LocalProvider(SupervisorClient(tmp_path / "home"))


def test_it_is_found_by_its_entry_point() -> None:
    (entry,) = entry_points(group="preheat.providers", name="local")
    found: Provider = entry.load()()
    assert found.name == "local"
    assert isinstance(found, LocalProvider)


def test_looking_at_a_home_that_was_never_used_starts_nothing(
    provider: LocalProvider, tmp_path: Path
) -> None:
    assert provider.observe("demo", "dev") == ()
    assert provider.status(None, None) == ()
    for look in (provider.deployment, provider.releases):
        with pytest.raises(NotDeployed, match="'demo' is not deployed at stage 'dev'"):
            look("demo", "dev")
    with pytest.raises(NotDeployed):
        next(iter(provider.logs("demo", "dev", follow=False)))
    assert list(tmp_path.iterdir()) == []


def test_the_target_is_this_machine(provider: LocalProvider) -> None:
    target = provider.target(project())
    assert target.python == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert target.entry == ("preheat_providers.local.entry",)
    assert provider.target(project(python="3.12")).python == "3.12"
    assert re.fullmatch(r"\w+-(manylinux_2_\d+|unknown-linux-musl|apple-darwin)", native_platform())


def test_a_queue_is_named_as_what_this_provider_lacks(provider: LocalProvider) -> None:
    asked = project(triggers=(HttpTrigger(), QueueTrigger(name="work", queue="q")), secrets={"A": "env:NO_A"})
    found = provider.check(asked)
    assert [finding.key for finding in found] == ["triggers.work", "secrets.A"]
    assert all(finding.fix for finding in found)
    assert "queue" not in provider.capabilities.triggers


def test_a_python_that_is_not_here_is_named_with_the_line_to_get_it(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.configure(python="3.99")
    with pytest.raises(ProviderError, match=r"no Python 3\.99") as caught:
        local.deploy(UPPER)
    assert caught.value.hint == "uv python install 3.99"
    assert not local.client.in_use


def test_the_home_is_asked_for_late(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    provider = local_provider()
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "late"))
    assert provider.status(None, None) == ()
