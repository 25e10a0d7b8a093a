import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from preheat.bundle.cache import Cache
from preheat.bundle.fingerprint import SETTLED_AFTER_NS, Fingerprint
from preheat.bundle.model import Target
from preheat.interface.manifest import Limits
from preheat.project.model import Project, Scaling, Weights

Make = Callable[..., Project]


def value(project: Project, target: Target) -> str:
    return Fingerprint(project, target, sorted(project.root.glob("*.py"))).value


def test_nothing_changed_is_seen_as_nothing_changed(make_project: Make, target: Target) -> None:
    assert value(make_project(), target) == value(make_project(), target)


def test_an_edit_that_keeps_size_and_time_is_seen(make_project: Make, target: Target, root: Path) -> None:
    handler = root / "handler.py"
    status = handler.stat()
    before = value(make_project(), target)
    handler.write_text(handler.read_text().replace("upper", "lower"))
    os.utime(handler, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert handler.stat().st_size == status.st_size
    assert value(make_project(), target) != before


@pytest.mark.parametrize("name", ["new.py", "preheat.lock", ".preheatignore", ".gitignore", "x.onnx"])
def test_a_new_file_is_seen(make_project: Make, target: Target, root: Path, name: str) -> None:
    project = make_project(weights=(Weights(name="model", source="file:x.onnx", sha256=None),))
    before = value(project, target)
    (root / name).write_text("")
    assert value(project, target) != before


def test_a_file_of_a_folder_of_weights_is_seen(make_project: Make, target: Target, root: Path) -> None:
    project = make_project(weights=(Weights(name="model", source="file:models", sha256=None),))
    (root / "models" / "a").mkdir(parents=True)
    before = value(project, target)
    (root / "models" / "a" / "b").write_text("")
    assert value(project, target) != before


@pytest.mark.parametrize(
    "change",
    [
        {"requirements": ("numpy",)},
        {"handler": "handler:Other"},
        {"limits": Limits(setup_s=1)},
        {"weights": (Weights(name="a", source="https://example.org/a", sha256="00"),)},
    ],
)
def test_what_the_bundle_depends_on_counts(
    make_project: Make, target: Target, change: dict[str, object]
) -> None:
    assert value(make_project(**change), target) != value(make_project(), target)


def test_what_it_does_not_depend_on_does_not_count(make_project: Make, target: Target) -> None:
    assert value(make_project(scaling=Scaling(max=9)), target) == value(make_project(), target)


def test_each_target_and_stage_is_remembered_by_itself(
    make_project: Make, target: Target, cache: Cache, root: Path
) -> None:
    project = make_project()
    settled(root)
    Fingerprint(project, target, root.glob("*.py")).remember(cache, "sha256:one")
    other = Fingerprint(project, replace(target, python="3.99"), root.glob("*.py"))
    assert other.recall(cache) is None
    assert Fingerprint(project, target, root.glob("*.py")).recall(cache) == "sha256:one"
    staged = Fingerprint(make_project(stage="prod"), target, root.glob("*.py"))
    assert staged.recall(cache) is None


def settled(root: Path) -> None:
    """Return once every file is old enough to be trusted, by the clock of the file system itself."""
    newest = max(path.stat().st_ctime_ns for path in root.rglob("*"))
    probe = root.parent / "clock"
    probe.touch()
    while probe.stat().st_ctime_ns < newest + 2 * SETTLED_AFTER_NS:
        os.utime(probe)


def test_a_file_as_young_as_the_clocks_step_is_not_trusted(
    make_project: Make, target: Target, cache: Cache, root: Path
) -> None:
    (root / "handler.py").write_text("x = 1\n")
    young = Fingerprint(make_project(), target, root.glob("*.py"))
    young.remember(cache, "sha256:one")
    assert young.recall(cache) is None
    settled(root)
    old = Fingerprint(make_project(), target, root.glob("*.py"))
    old.remember(cache, "sha256:one")
    assert old.recall(cache) == "sha256:one"


def test_a_memory_that_is_half_written_is_forgotten(
    make_project: Make, target: Target, cache: Cache, root: Path
) -> None:
    fingerprint = Fingerprint(make_project(), target, root.glob("*.py"))
    cache.write(cache.memo("fingerprints", fingerprint.key), '{"value": "')
    assert fingerprint.recall(cache) is None
