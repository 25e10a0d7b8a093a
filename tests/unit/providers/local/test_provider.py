import json
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.local import UPPER, Local, lay_bundle, project

from preheat.bundle.interpreter import native_platform
from preheat.errors import NotDeployed, ProviderError
from preheat.plan.model import Plan
from preheat.project.model import HttpTrigger, QueueTrigger
from preheat.project.secret_values import secrets_mark
from preheat.provider.protocol import Provider
from preheat_providers.local.client import Say, SupervisorClient
from preheat_providers.local.provider import LocalProvider, local_provider


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
    assert target.platform == native_platform()


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


class OneLook(Mapping[str, str]):
    """An environment whose variables change with every look."""

    def __init__(self, *names: str) -> None:
        self.looks = dict.fromkeys(names, 0)

    def __getitem__(self, name: str) -> str:
        self.looks[name] += 1
        return f"value {self.looks[name]}"

    def __iter__(self) -> Iterator[str]:
        return iter(self.looks)

    def __len__(self) -> int:
        return len(self.looks)

    def __contains__(self, name: object) -> bool:
        return name in self.looks


class Orders(SupervisorClient):
    """Keeps the orders instead of sending them."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.deploys: list[dict[str, Any]] = []

    def order(self, op: str, *, say: Say | None = None, **fields: Any) -> Any:
        assert op == "deploy"
        self.deploys.append(fields)
        known = {"name": "demo", "provider": "local", "stage": "dev", "release": 1, "digest": ""}
        return known | {"endpoint": "", "changed": True, "notes": []}


def test_a_deploy_hands_over_the_mark_of_exactly_the_secrets_that_it_hands_over(tmp_path: Path) -> None:
    orders = Orders(tmp_path / "home")
    environment = OneLook("TOKEN")
    local = Local(tmp_path)
    local.configure(secrets={"TOKEN": "env:TOKEN"})
    provider = LocalProvider(orders, environment=environment)
    bundle = lay_bundle(tmp_path / "layers", UPPER, provider, local.project)
    plan = Plan(
        name="demo",
        stage="dev",
        provider="local",
        digest=bundle.digest,
        changes=(),
        unzipped_bytes=0,
        unzipped_limit=None,
        sizes={},
    )
    provider.apply(plan, local.project, bundle, report=local.report)
    (deploy,) = orders.deploys
    assert environment.looks == {"TOKEN": 1}
    assert deploy["secrets"] == {"TOKEN": "value 1"}
    observed = json.dumps(deploy["spec"])
    assert str(secrets_mark(local.project, {"TOKEN": "value 1"})) in observed
