"""`preheat warm`: what is asked of a provider, and what is shown."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.provider import InMemoryProvider

from preheat.errors import ProviderError
from preheat.project.model import Project
from preheat.provider.protocol import Pool, WarmPool
from preheat.provider.warm_options import Demand, WarmOption
from preheat_providers.local import warming
from preheat_providers.local.options import SCHEMA, read_options

POOL = WarmPool(
    name="ocr",
    provider="local",
    stage="dev",
    pool=Pool(min=0, buffer=0, max=None, idle_s=300),
    changed=(),
    exact=True,
    workers=1,
    waiting=0,
)


class WarmProvider(InMemoryProvider):
    """A provider in memory whose pool changes."""

    def __init__(self) -> None:
        super().__init__("local")
        self.now = POOL
        self.asked: list[Pool] = []

    def options_schema(self) -> Mapping[str, Any]:
        return SCHEMA

    def warm_pool(self, name: str, stage: str) -> WarmPool:
        return replace(self.now, name=name, stage=stage)

    def resize(self, name: str, stage: str, change: Pool) -> WarmPool:
        self.asked.append(change)
        if change.max == 1:
            raise ProviderError("At least 2 are to run.", hint="--max 2")
        self.now = replace(self.now, pool=replace(self.now.pool, min=change.min), changed=("min",))
        return self.warm_pool(name, stage)

    def warm_options(self, project: Project, demand: Demand) -> tuple[WarmOption, ...]:
        return ()

    def warm_settings(self, project: Project, pool: Pool) -> Mapping[str, Any]:
        return warming.warm_settings(read_options(project.provider.get("local", {})), pool)


@pytest.fixture
def provider() -> WarmProvider:
    return WarmProvider()


def test_showing_changes_nothing(provider: WarmProvider) -> None:
    shown = CommandLine(provider=provider)("warm", "show", "ocr")
    assert (shown.code, provider.asked) == (0, [])
    assert "1 worker\n" in shown.out
    assert "300 s" in shown.out
    assert "as the platform decides" in shown.out


def test_live_changes_what_is_given_and_nothing_else(provider: WarmProvider) -> None:
    live = ("warm", "set", "2", "ocr", "--scaledown", "5m", "--live", "--json")
    changed = CommandLine(provider=provider)(*live)
    assert provider.asked == [Pool(min=2, idle_s=300)]
    assert (changed.document["pool"]["min"], changed.document["changed"]) == (2, ["min"])


def test_none_at_all_is_a_change_too(provider: WarmProvider) -> None:
    CommandLine(provider=provider)("warm", "set", "0", "ocr", "--live")
    assert provider.asked == [Pool(min=0)]


def test_without_a_name_it_is_the_project_of_the_folder(provider: WarmProvider, root: Path) -> None:
    shown = CommandLine(provider=provider)("warm", "set", "2", "--live")
    assert "demo (dev) on local" in shown.out


def test_what_differs_from_the_deploy_is_marked(provider: WarmProvider) -> None:
    shown = CommandLine(provider=provider)("warm", "set", "2", "ocr", "--live")
    assert "2  (not as deployed)" in shown.out


def test_a_pool_that_was_not_asked_for_is_said_to_be_that_of_the_deploy(provider: WarmProvider) -> None:
    provider.now = replace(POOL, exact=False, waiting=3)
    shown = CommandLine(provider=provider)("warm", "show", "ocr")
    assert "cannot ask what is used now" in shown.out
    assert "3 requests waiting" in shown.out


def test_a_refusal_comes_with_its_hint(provider: WarmProvider) -> None:
    refused = CommandLine(provider=provider)("warm", "set", "0", "ocr", "--max", "1", "--live")
    assert (refused.code, "--max 2" in refused.err) == (1, True)


@pytest.mark.parametrize("arguments", [("2", "--scaledown", "5"), ("-1",), ("2", "--max", "0"), ("two",)])
def test_what_is_no_size_is_refused_before_anybody_is_asked(
    provider: WarmProvider, arguments: tuple[str, ...]
) -> None:
    assert CommandLine(provider=provider)("warm", "set", *arguments, "--live").code == 2
    assert provider.asked == []


def test_a_provider_without_such_pools_says_what_to_do() -> None:
    refused = CommandLine()("warm", "show", "ocr")
    assert (refused.code, "changes no pool" in refused.err) == (1, True)
    assert "preheat warm set 1 --provider local && preheat deploy" in refused.err


def test_without_live_it_is_written_for_the_next_deploy_and_comments_stay(
    provider: WarmProvider, root: Path
) -> None:
    file = root / "preheat.toml"
    file.write_text("# ours\n" + file.read_text())
    done = CommandLine(provider=provider)("warm", "set", "2", "--buffer", "1")
    assert (done.code, provider.asked) == (0, []), done.err
    assert "[scaling]\nmin = 2\nwarm = 1\n" in file.read_text()
    assert file.read_text().startswith("# ours\n")
    assert "preheat.toml: scaling.min = 2, scaling.warm = 1" in done.out


HOURS = '[provider.local]\nschedule = [{cron = "0 8 * * *", min = 3}]  # office\nport = 8123\n'


def test_hours_that_would_decide_are_taken_out_and_that_is_said(provider: WarmProvider, root: Path) -> None:
    file = root / "preheat.toml"
    file.write_text(f"{file.read_text()}\n{HOURS}")
    done = CommandLine(provider=provider)("warm", "set", "2")
    assert done.code == 0, done.err
    assert "scaling.min = 2, provider.local.schedule taken out" in done.out
    assert "schedule" not in file.read_text()
    assert "port = 8123" in file.read_text()


def test_hours_of_every_stage_are_taken_out_for_one(provider: WarmProvider, root: Path) -> None:
    file = root / "preheat.toml"
    file.write_text(f"{file.read_text()}\n{HOURS}")
    done = CommandLine(provider=provider)("warm", "set", "2", "--stage", "prod")
    assert done.code == 0, done.err
    text = file.read_text()
    assert HOURS in text
    assert "[stage.prod.provider.local]\nschedule = []\n" in text
    assert "[stage.prod.scaling]\nmin = 2\n" in text


def test_where_nothing_is_to_change_that_is_said(root: Path) -> None:
    class Keeping(WarmProvider):
        """A provider that has nothing to take away."""

        def warm_settings(self, project: Project, pool: Pool) -> Mapping[str, Any]:
            return {}

    before = (root / "preheat.toml").read_text()
    done = CommandLine(provider=Keeping())("warm", "set", "0")
    assert (done.code, "as it is, nothing is kept ready" in done.out) == (0, True)
    assert "preheat deploy" not in done.out
    assert (root / "preheat.toml").read_text() == before


def test_what_the_project_cannot_have_is_not_written(provider: WarmProvider, root: Path) -> None:
    before = (root / "preheat.toml").read_text()
    refused = CommandLine(provider=provider)("warm", "set", "9")
    assert (refused.code, "scaling.min is 9, more than scaling.max" in refused.err) == (1, True)
    assert (root / "preheat.toml").read_text() == before


def test_the_name_of_another_project_is_refused(provider: WarmProvider, root: Path) -> None:
    refused = CommandLine(provider=provider)("warm", "set", "2", "ocr")
    assert (refused.code, "is 'demo', not 'ocr'" in refused.err) == (1, True)


def test_the_group_alone_shows_its_help() -> None:
    shown = CommandLine()("warm", "--help")
    assert all(name in shown.out for name in ("show", "set", "plan"))
