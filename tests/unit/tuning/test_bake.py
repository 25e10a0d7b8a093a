"""What `--write` leaves in a project."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.perceptrons import write_mlp
from tests.fakes.tuning import tuned_of

from preheat.bundle.code import user_paths
from preheat.errors import ProjectError, TuningError
from preheat.project.config import load_project
from preheat.project.model import Project
from preheat.tuning.bake import bake
from preheat.tuning.trial import make
from preheat.tuning.tune import Tuned
from preheat.tuning.variants import DEFAULT, Variant, candidates
from preheat_handlers.onnx.session import open_session
from preheat_handlers.onnx.tuned import read_tuned

TOML = """
# Ours.
[weights.model]
sha256 = "{sum}"
source = "file:models/m.onnx"  # of the paper

[resources]
memory_mb = 2048
"""
VARIANTS = {variant.name: variant for variant in candidates((), fuse=False)}
ANSWER_FIRST = VARIANTS["extended, answer first"]
Read = Callable[[str], Project]


@pytest.fixture
def project(read: Read) -> Project:
    return read(TOML.format(sum="ab" * 32))


@pytest.fixture
def made(root: Path, tmp_path: Path) -> Path:
    return graph(root, tmp_path / "made", packed=False)


def graph(root: Path, out: Path, *, packed: bool) -> Path:
    out.mkdir()
    arguments = {"step": "optimise", "level": "extended", "packed": packed}
    make.run({"model": str(root / "models" / "m.onnx"), "out": str(out), **arguments})
    return out


def found(project: Project, made: Path, variant: Variant = ANSWER_FIRST, **more: object) -> Tuned:
    (origin,) = project.weights
    return tuned_of(project, variant, made=made, origin=origin, **more)  # type: ignore[arg-type]


def load(root: Path) -> Project:
    return load_project(root, "dev", provider_schemas={})


def test_the_folder_is_what_the_loader_opens(root: Path, project: Project, made: Path) -> None:
    folder = bake(project, found(project, made), check=load)
    assert folder == root / "tuned" / "model"
    assert sorted(path.name for path in folder.iterdir()) == ["model.data", "model.onnx", "tuned.json"]
    tuned = read_tuned(folder)
    assert dict(tuned.load.entries) == {"session.disable_prepacking": "1"}
    assert tuned.then is not None
    assert (tuned.then.entries, tuned.then.tolerance) == ({}, 1e-4)
    x = np.ones((2, 32), np.float32)
    right = open_session(root / "models" / "m.onnx").run(None, {"x": x})[0]
    assert np.allclose(open_session(folder).run(None, {"x": x})[0], right, atol=1e-5)


def test_without_tolerance_the_loader_wants_the_same_bits(project: Project, made: Path) -> None:
    folder = bake(project, found(project, made, tolerance=0.0), check=load)
    assert folder is not None
    then = read_tuned(folder).then
    assert then is not None
    assert then.tolerance == 0.0


def test_packed_weights_come_along_where_they_are_used(root: Path, tmp_path: Path, project: Project) -> None:
    made = graph(root, tmp_path / "packed", packed=True)
    folder = bake(project, found(project, made, VARIANTS["extended, saved packing"]), check=load)
    assert folder is not None
    tuned = read_tuned(folder)
    assert (tuned.load.file, tuned.safe.file) == ("prepacked.onnx", "model.onnx")
    assert (folder / "prepacked.onnx").is_file()


def test_preheat_toml_points_at_it_and_is_else_as_written(root: Path, project: Project, made: Path) -> None:
    before = (root / "preheat.toml").read_text()
    bake(project, found(project, made), check=load)
    expected = before.replace("models/m.onnx", "tuned/model").replace(f'sha256 = "{"ab" * 32}"\n', "")
    assert (root / "preheat.toml").read_text() == expected


def test_the_original_is_remembered_and_no_longer_ships(root: Path, project: Project, made: Path) -> None:
    (root / ".preheatignore").write_text("*.csv")
    for _ in range(2):
        bake(project, found(project, made), check=load)
    document = json.loads((root / "tuned" / "model" / "tuned.json").read_text())
    assert document["origin"] == {"source": "file:models/m.onnx", "sha256": "ab" * 32}
    assert (root / ".preheatignore").read_text() == "*.csv\n/models/m.onnx\n"
    assert set(user_paths(load(root))) == {"handler.py"}


def test_a_name_with_signs_of_a_pattern_is_left_out_too(root: Path, read: Read, made: Path) -> None:
    write_mlp(root / "models" / "a [1]*.onnx")
    project = read('[weights.model]\nsource = "file:models/a [1]*.onnx"\n')
    bake(project, found(project, made), check=load)
    assert "models/a [1]*.onnx" not in user_paths(load(root))
    assert "models/m.onnx" in user_paths(load(root))


def test_files_beside_the_original_come_along(root: Path, read: Read, made: Path) -> None:
    write_mlp(root / "bert" / "m.onnx")
    (root / "bert" / "more").mkdir()
    (root / "bert" / "more" / "words.txt").write_text("a\n")
    project = read('[weights.model]\nsource = "file:bert"\n')
    folder = bake(project, found(project, made, beside=[Path("more/words.txt")]), check=load)
    assert folder is not None
    assert (folder / "more" / "words.txt").read_text() == "a\n"


def test_what_was_there_before_is_replaced_whole(root: Path, project: Project, made: Path) -> None:
    old = root / "tuned" / "model" / "prepacked.onnx"
    old.parent.mkdir(parents=True)
    old.write_text("of another day")
    bake(project, found(project, made), check=load)
    assert not old.exists()
    assert [path.name for path in (root / "tuned").iterdir()] == ["model"]


def test_where_nothing_is_better_nothing_is_written(root: Path, project: Project, made: Path) -> None:
    before = (root / "preheat.toml").read_text()
    assert bake(project, found(project, made, DEFAULT), check=load) is None
    assert (root / "preheat.toml").read_text() == before
    assert not (root / "tuned").exists()


def test_a_project_that_would_be_wrong_then_stays_as_it_is(root: Path, project: Project, made: Path) -> None:
    def refuse(root: Path) -> None:
        raise ProjectError("no")

    before = (root / "preheat.toml").read_text()
    with pytest.raises(ProjectError):
        bake(project, found(project, made), check=refuse)
    assert (root / "preheat.toml").read_text() == before


def test_what_cannot_be_copied_leaves_nothing(root: Path, project: Project, made: Path) -> None:
    tuned = found(project, made, beside=[Path("absent.txt")])
    with pytest.raises(TuningError, match="could not be written"):
        bake(project, tuned, check=load)
    assert list((root / "tuned").iterdir()) == []
