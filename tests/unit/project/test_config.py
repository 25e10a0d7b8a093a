from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from preheat.errors import Located, ProjectError
from preheat.interface.manifest import Limits
from preheat.project.config import load_project
from preheat.project.model import (
    HttpTrigger,
    ObjectCreated,
    Project,
    QueueTrigger,
    Resources,
    Scaling,
    Schedule,
    Weights,
)

Load = Callable[..., Project]
Mistakes = Callable[..., tuple[Located, ...]]

FULL = """
python = "3.12"
requirements = ["numpy>=2"]
[weights.b]
source = "https://models.example/b.onnx"
sha256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
[weights.a]
source = "file:handler.py"
[resources]
memory_mb = 2048
cpu = 2
gpu = "T4"
timeout_s = 30
tmp_mb = 0
[scaling]
min = 1
max = 8
warm = 2
idle_s = 60
concurrency = 16
queue = 10
[limits]
body_mb = 0.5
depth = 8
pixels = 100
setup_s = 9.5
[triggers.http]
auth = "none"
[triggers.uploads]
type = "object-created"
bucket = "documents"
prefix = "in/"
suffix = ".txt"
output = "documents/out"
attempts = 5
[triggers.messages]
type = "queue"
queue = "letters"
[triggers.nightly]
type = "schedule"
cron = "0 3 * * *"
timezone = "Europe/Berlin"
input = { text = "good night" }
[env]
LEVEL = "info"
[secrets]
TOKEN = "env:HUB_TOKEN"
[provider.local]
port = 8080
"""


def test_every_key_reaches_the_project(load: Load, root: Path) -> None:
    assert load(FULL) == Project(
        root=root,
        stage="dev",
        name="demo",
        handler="handler:Model",
        python="3.12",
        requirements=("numpy>=2",),
        weights=(
            Weights(name="a", source="file:handler.py", sha256=None),
            Weights(
                name="b",
                source="https://models.example/b.onnx",
                sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            ),
        ),
        resources=Resources(memory_mb=2048, cpu=2.0, gpu="T4", timeout_s=30.0, tmp_mb=0),
        scaling=Scaling(min=1, max=8, warm=2, idle_s=60.0, concurrency=16, queue=10),
        limits=Limits(body_bytes=524288, depth=8, pixels=100, setup_s=9.5, timeout_s=30.0),
        triggers=(
            HttpTrigger(auth="none"),
            QueueTrigger(name="messages", queue="letters"),
            Schedule(
                name="nightly", cron="0 3 * * *", timezone="Europe/Berlin", input={"text": "good night"}
            ),
            ObjectCreated(
                name="uploads",
                bucket="documents",
                prefix="in/",
                suffix=".txt",
                output="documents/out",
                attempts=5,
            ),
        ),
        env=MappingProxyType({"LEVEL": "info"}),
        secrets=MappingProxyType({"TOKEN": "env:HUB_TOKEN"}),
        provider=MappingProxyType({"local": {"port": 8080}}),
    )


def test_two_keys_are_enough(load: Load, root: Path) -> None:
    assert load() == Project(root=root, stage="dev", name="demo", handler="handler:Model")


def test_an_endpoint_of_another_name_is_the_endpoint(load: Load) -> None:
    assert load('[triggers.web]\ntype = "http"\nauth = "none"\n').http == HttpTrigger(name="web", auth="none")


STAGES = """
requirements = ["numpy>=2", "pillow"]
[scaling]
min = 1
max = 8
[triggers.http]
auth = "token"
[stage.prod]
requirements = ["numpy>=2"]
[stage.prod.scaling]
max = 20
[stage.prod.triggers.nightly]
type = "schedule"
cron = "0 3 * * *"
"""


def test_a_stage_merges_tables_and_replaces_lists(load: Load) -> None:
    prod = load(STAGES, stage="prod")
    assert prod.scaling == Scaling(min=1, max=20)
    assert prod.requirements == ("numpy>=2",)
    assert [trigger.name for trigger in prod.triggers] == ["http", "nightly"]


def test_a_stage_without_a_table_gets_what_all_share(load: Load) -> None:
    dev = load(STAGES)
    assert (dev.scaling.max, len(dev.triggers), dev.stage) == (8, 1, "dev")


def test_a_contradiction_that_only_a_stage_makes_has_the_stages_line(mistakes: Mistakes, load: Load) -> None:
    toml = "[scaling]\nmin = 3\nmax = 4\n[stage.small.scaling]\nmax = 2\n[stage.big.scaling]\nmin = 9\n"
    assert load(toml).scaling.min == 3
    (small,) = mistakes(toml, stage="small")
    assert (small.key, small.line) == ("scaling.min", 4)
    (big,) = mistakes(toml, stage="big")
    assert (big.key, big.line) == ("stage.big.scaling.min", 9)


def test_a_trigger_that_a_stage_leaves_incomplete_is_a_mistake_of_that_stage(
    mistakes: Mistakes, load: Load
) -> None:
    toml = '[stage.prod.triggers.up]\nbucket = "uploads"\ntype = "object-created"\n'
    assert load(toml).triggers == (HttpTrigger(),)
    (finding,) = mistakes(toml, stage="prod")
    assert (finding.key, finding.line) == ("stage.prod.triggers.up.output", 3)


def test_a_providers_table_may_be_completed_by_the_stage(load: Load, mistakes: Mistakes) -> None:
    complete = '[provider.modal]\n[stage.prod.provider.modal]\nworkspace = "team"\n'
    assert load('[stage.prod.provider.modal]\nworkspace = "team"\n', stage="prod").provider["modal"]
    (finding,) = mistakes(complete)
    assert (finding.key, finding.line) == ("provider.modal.workspace", 3)


def test_all_mistakes_come_at_once_in_the_order_of_the_file(mistakes: Mistakes) -> None:
    found = mistakes(
        """
requirements = ["numpy", "pkg=1.0"]
[resources]
memory_mb = "1"
[scaling]
min = 9
max = 3
[weights.m]
source = "file:nowhere.onnx"
[triggers.t]
type = "schedule"
cron = "61 * * * *"
[env]
PATH = "/bin"
[provider.local]
zygote = "on"
"""
    )
    assert [finding.key for finding in found] == [
        "requirements[1]",
        "resources.memory_mb",
        "scaling.min",
        "weights.m.source",
        "triggers.t.cron",
        "env.PATH",
        "provider.local.zygote",
    ]
    assert [finding.line for finding in found] == [4, 6, 8, 11, 14, 16, 18]


def test_a_value_of_the_wrong_type_makes_no_second_mistake(mistakes: Mistakes) -> None:
    (finding,) = mistakes('[scaling]\nmin = 9\nmax = "20"\n')
    assert finding.key == "scaling.max"


def test_the_error_counts_the_mistakes(load: Load) -> None:
    with pytest.raises(ProjectError, match=r"^preheat.toml has 1 mistake\.$"):
        load("[scaling]\nmin = 9\n")


def test_a_mistyped_stage_is_refused_with_the_declared_one(load: Load) -> None:
    with pytest.raises(ProjectError, match=r"no \[stage.prdo\]; did you mean 'prod'") as raised:
        load(STAGES, stage="prdo")
    assert raised.value.hint == "--stage prod   or declare it: [stage.prdo]"
    assert load(STAGES, stage="quite-another").stage == "quite-another"


def test_a_stage_of_an_invalid_name_is_refused_with_the_nearest(load: Load) -> None:
    with pytest.raises(ProjectError) as raised:
        load(stage="Prod!")
    assert raised.value.hint == "--stage prod"


class Recorded(Mapping[str, Mapping[str, Any]]):
    """Schemas that remember which were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        if name not in tuple(self):
            raise KeyError(name)
        self.asked.append(name)
        return {}

    def __contains__(self, name: object) -> bool:
        return name in tuple(self)

    def __iter__(self) -> Iterator[str]:
        return iter(("local", "modal"))

    def __len__(self) -> int:
        return 2


def test_only_the_schema_of_a_provider_with_a_table_is_asked_for(load: Load, root: Path) -> None:
    load("[provider.local]\n")
    schemas = Recorded()
    load_project(root, "dev", provider_schemas=schemas)
    assert schemas.asked == ["local"]


def test_a_relative_root_is_made_absolute(load: Load, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    monkeypatch.chdir(root)
    assert load_project(Path(), "dev", provider_schemas={}).root == root
