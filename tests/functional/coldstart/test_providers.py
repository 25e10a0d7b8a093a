"""The entry of each provider, started here from a bundle that was built for it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.environments import PYTHON
from tests.fakes.projects import write_project

from preheat.bundle.build import build
from preheat.bundle.interpreter import native_platform
from preheat.coldstart.phases import phases_of
from preheat.coldstart.starting import PROBED, Starter
from preheat.coldstart.subject import Subject, rehearses, subject_of
from preheat.deploy import Pipeline
from preheat.errors import HandlerError
from preheat.progress import quiet
from preheat.provider.registry import Registry

pytestmark = [pytest.mark.index, pytest.mark.xdist_group("coldstart-providers")]

HANDLER = """import os

import preheat


class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self.words = ctx.weights["words"].read_text()
        self.told = f"{ctx.provider} {ctx.stage} {os.environ['COLOUR']} {os.environ['KEY']}"
        print("printed in setup")

    def examples(self) -> list[str]:
        return ["a"]

    def predict(self, text: str) -> str:
        print("printed in predict")
        return f"{text} {self.words} {self.told}"
"""
TOML = """
[weights.words]
source = "file:words.txt"
[env]
COLOUR = "blue"
[secrets]
KEY = "env:TEST_KEY"
[provider.sagemaker]
base_image = "registry.example/python:1"
"""


@pytest.fixture(scope="module", autouse=True)
def secret() -> Iterator[None]:
    """The value of the project's secret, in the shell's environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_KEY", "secret")
        yield


@pytest.fixture(scope="module", params=["aws_lambda", "local", "modal", "sagemaker"])
def subject(request: pytest.FixtureRequest, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A bundle for each platform, but for this machine's own Python."""
    root = write_project(tmp_path_factory.mktemp("project") / "demo", TOML, handler=HANDLER)
    (root / "words.txt").write_text("weights")
    registry = Registry.installed()
    pipeline = Pipeline(provider=registry.get(request.param), stage="prod", registry=registry)
    project = pipeline.project(root)
    target = replace(pipeline.provider.target(project), python=PYTHON, platform=native_platform())
    return subject_of(build(project, target, report=quiet), project, rehearses(pipeline.provider))


def test_an_entry_answers_as_it_would_on_its_platform(
    subject: Subject, starter: Callable[[Subject], Starter]
) -> None:
    sample = starter(subject).start(subject.rehearsal, change=PROBED)
    provider = subject.bundle.target.provider
    assert sample.answer.decode() == f'"a weights {provider} prod blue secret"'
    names = list(dict.fromkeys(phase.name for phase in phases_of(sample) if not phase.within))
    assert names[:4] == ["interpreter", "preheat", "import", "setup"]
    assert names[-3:] == ["opening", "first answer", "second answer"]
    assert 0 < sample.ready_ms < sample.total_ms


def test_a_plain_start_is_not_probed(subject: Subject, starter: Callable[[Subject], Starter]) -> None:
    sample = starter(subject).start(subject.rehearsal)
    assert sample.marks == ()
    assert "preheat-phase" not in sample.log


def test_weights_can_be_replaced(
    subject: Subject, starter: Callable[[Subject], Starter], tmp_path: Path
) -> None:
    changed = tmp_path / "weights"
    changed.mkdir()
    for path in subject.weights.path.rglob("*.txt"):
        copied = changed / path.relative_to(subject.weights.path)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_text("others")
    other = subject.with_weights(changed)
    assert b"others" in starter(other).start(other.rehearsal).answer


def test_a_setup_that_fails_is_told_by_its_own_message(
    subject: Subject, starter: Callable[[Subject], Starter], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    broken = subject.with_weights(tmp_path / "empty")
    with pytest.raises(HandlerError, match="words"):
        starter(broken).start(broken.rehearsal)
