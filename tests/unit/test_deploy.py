import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.bundle import FakeBuild, failing
from tests.fakes.entry_points import registry_of
from tests.fakes.projects import write_project
from tests.fakes.provider import InMemoryProvider

from preheat.bundle.model import Bundle
from preheat.deploy import Pipeline, Prepared
from preheat.errors import BundleError, Conflict, NotDeployed, PreheatError, ProjectError
from preheat.progress import Event, Report, Step
from preheat.project.model import Project


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "home"))


@pytest.fixture
def provider() -> InMemoryProvider:
    return InMemoryProvider()


@pytest.fixture
def pipeline(provider: InMemoryProvider) -> Pipeline:
    return Pipeline(provider=provider, stage="dev", build=FakeBuild(), registry=registry_of(provider))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_project(tmp_path / "demo")


def test_a_first_deploy_makes_everything(pipeline: Pipeline, provider: InMemoryProvider, root: Path) -> None:
    deployment = pipeline.deploy(root)
    assert (deployment.name, deployment.stage, deployment.release) == ("demo", "dev", 1)
    assert deployment.changed
    assert [change.action for change in provider.applied[0].changes] == ["create"]


def test_an_unchanged_project_is_not_applied_again(
    pipeline: Pipeline, provider: InMemoryProvider, root: Path
) -> None:
    first = pipeline.deploy(root)
    again = pipeline.deploy(root)
    assert again == replace(first, changed=False, token=None)
    assert len(provider.applied) == 1


def test_what_the_provider_has_to_tell_is_a_note_of_the_plan(provider: InMemoryProvider, root: Path) -> None:
    class Telling(InMemoryProvider):
        def remarks(self, project: Project, bundle: Bundle) -> tuple[str, ...]:
            return (f"{project.name} is on paper, as {bundle.target.provider} has it",)

    for each, notes in ((provider, ()), (Telling(), ("demo is on paper, as memory has it",))):
        pipeline = Pipeline(provider=each, stage="dev", build=FakeBuild(), registry=registry_of(each))
        assert pipeline.prepare(pipeline.project(root)).plan.notes == notes


def test_a_changed_file_changes_the_digest_and_nothing_else(
    pipeline: Pipeline, provider: InMemoryProvider, root: Path
) -> None:
    pipeline.deploy(root)
    (root / "handler.py").write_text((root / "handler.py").read_text() + "\n")
    assert pipeline.deploy(root).release == 2
    (change,) = provider.applied[1].changes
    assert [field.path for field in change.fields] == ["digest"]


def test_the_stages_run_in_the_order_of_the_page(pipeline: Pipeline, root: Path) -> None:
    events: list[Event] = []
    replace(pipeline, report=events.append).deploy(root)
    stages = [event.stage for event in events if isinstance(event, Step)]
    assert list(dict.fromkeys(stages)) == ["check", "bundle", "plan", "apply"]


def test_what_the_platform_cannot_do_stops_before_anything_is_built(
    pipeline: Pipeline, provider: InMemoryProvider, tmp_path: Path
) -> None:
    root = write_project(tmp_path / "gpu", '[resources]\ngpu = "a10"\n')
    build = FakeBuild()
    with pytest.raises(ProjectError, match="demo cannot be deployed to memory") as caught:
        replace(pipeline, build=build).deploy(root)
    assert [finding.key for finding in caught.value.findings] == ["resources.gpu"]
    assert build.targets == []
    assert provider.functions == {}


def test_a_plain_mistake_in_the_handler_stops_before_anything_is_built(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    root = write_project(tmp_path / "demo", handler="class Model: ...\n")
    build = FakeBuild()
    with pytest.raises(ProjectError) as caught:
        replace(pipeline, build=build).deploy(root)
    assert [finding.fix for finding in caught.value.findings] == ["class Model(preheat.Handler):"]
    assert build.targets == []


@pytest.mark.parametrize("run", ["deploy", "template"])
def test_a_base_that_does_not_fit_stops_before_anything_is_built(root: Path, run: str) -> None:
    class Basing(InMemoryProvider):
        def look_at_base(self, project: Project, *, report: Report) -> None:
            raise BundleError(f"no base fits {project.name}")

    provider, build = Basing(), FakeBuild()
    pipeline = Pipeline(provider=provider, stage="dev", build=build, registry=registry_of(provider))
    with pytest.raises(BundleError, match="no base fits demo"):
        pipeline.deploy(root) if run == "deploy" else pipeline.template(pipeline.project(root))
    assert build.targets == []
    assert provider.functions == {}


def test_a_failed_build_changes_nothing(pipeline: Pipeline, provider: InMemoryProvider, root: Path) -> None:
    with pytest.raises(PreheatError, match="no wheel"):
        replace(pipeline, build=failing("no wheel for numpy", "pin numpy")).deploy(root)
    assert provider.functions == {}


def test_a_refused_plan_changes_nothing(pipeline: Pipeline, provider: InMemoryProvider, root: Path) -> None:
    def refuse(prepared: Prepared) -> None:
        raise PreheatError(f"no to {len(prepared.plan.changes)}")

    with pytest.raises(PreheatError, match="no to 1"):
        replace(pipeline, approve=refuse).deploy(root)
    assert provider.functions == {}


def test_a_plan_changes_nothing_and_names_what_a_deploy_would(
    pipeline: Pipeline, provider: InMemoryProvider, root: Path
) -> None:
    plan = pipeline.prepare(pipeline.project(root)).plan
    assert [change.name for change in plan.changes] == ["demo"]
    assert plan.sizes["dependencies/numpy"] == 20_000_000
    assert provider.functions == {}
    pipeline.deploy(root)
    assert pipeline.prepare(pipeline.project(root)).plan.changes == ()


def test_options_of_the_run_win_over_the_projects_table(pipeline: Pipeline, tmp_path: Path) -> None:
    root = write_project(tmp_path / "demo", '[provider.memory]\ntls = false\nzone = "a"\n')
    project = replace(pipeline, options={"tls": True}).project(root)
    assert project.provider["memory"] == {"tls": True, "zone": "a"}


def test_stages_do_not_touch_one_another(pipeline: Pipeline, provider: InMemoryProvider, root: Path) -> None:
    pipeline.deploy(root)
    replace(pipeline, stage="prod").deploy(root)
    assert sorted(provider.functions) == [("demo", "dev"), ("demo", "prod")]
    with pytest.raises(NotDeployed):
        provider.deployment("demo", "staging")


HOLDER = """
import sys, pathlib
from preheat.deploy import held
with held(pathlib.Path(sys.argv[1]), "demo"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_deploy(tmp_path: Path) -> Iterator[int]:
    """A process that holds the lock of demo (dev) on memory, by its pid."""
    path = tmp_path / "home" / "locks" / "memory-demo-dev"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process.pid


def test_a_second_deploy_at_once_is_refused_with_the_pid_of_the_first(
    pipeline: Pipeline, root: Path, other_deploy: int
) -> None:
    with pytest.raises(Conflict, match=f"Process {other_deploy} is deploying demo") as caught:
        pipeline.deploy(root)
    assert caught.value.hint is not None
    assert f"kill {other_deploy}" in caught.value.hint
    assert replace(pipeline, stage="prod").deploy(root).changed


def test_the_lock_is_free_again_after_a_failure(pipeline: Pipeline, root: Path) -> None:
    with pytest.raises(PreheatError):
        replace(pipeline, build=failing("no", "again")).deploy(root)
    assert pipeline.deploy(root).changed
