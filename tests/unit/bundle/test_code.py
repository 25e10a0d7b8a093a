from collections.abc import Callable
from pathlib import Path

import pytest

from preheat.bundle.code import code_tree, user_paths
from preheat.bundle.digest import tree_digest
from preheat.bundle.model import Target
from preheat.errors import BundleError
from preheat.interface.manifest import MANIFEST, Limits
from preheat.project.model import Project, Weights

Make = Callable[..., Project]


def test_the_layer_holds_the_users_files_and_what_the_runtime_reads(
    make_project: Make, target: Target, root: Path
) -> None:
    (root / "words").mkdir()
    (root / "words" / "stop.txt").write_text("the\n")
    project = make_project(limits=Limits(timeout_s=5))
    user, ours = code_tree(project, target, user_paths(project), {"model": "model/x.onnx"})
    assert sorted(user) == ["handler.py", "words/stop.txt"]
    manifest = ours[MANIFEST].source
    assert isinstance(manifest, bytes)
    assert b'"timeout_s": 5' in manifest
    assert b'"model": "model/x.onnx"' in manifest


def test_settings_of_the_deployment_do_not_change_the_code(make_project: Make, target: Target) -> None:
    trees = [
        code_tree(project, target, user_paths(project), {})
        for project in (make_project(), make_project(env={"A": "1"}, stage="prod"))
    ]
    assert len({tree_digest({**user, **ours}) for user, ours in trees}) == 1


@pytest.mark.parametrize(
    "name", ["preheat.py", "preheat/x.py", "preheat_handlers/x.py", "preheat_providers.py", MANIFEST]
)
def test_user_code_cannot_hide_a_module_of_preheat(make_project: Make, root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("")
    with pytest.raises(BundleError, match="would hide") as caught:
        user_paths(make_project())
    assert name.partition("/")[0] in str(caught.value.hint)


def test_other_names_that_begin_like_it_are_fine(make_project: Make, root: Path) -> None:
    (root / "preheated.py").write_text("")
    (root / "preheat_notes.md").write_text("")
    assert {"preheated.py", "preheat_notes.md"} <= set(user_paths(make_project()))


def test_weights_do_not_ship_twice(make_project: Make, root: Path) -> None:
    for name in ("models/x.onnx", "models/readme.txt", "folder/a/b.bin"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    weights = tuple(
        Weights(name=name, source=f"file:{path}", sha256=None)
        for name, path in (("model", "./models/x.onnx"), ("folder", "folder"))
    )
    assert sorted(user_paths(make_project(weights=weights))) == ["handler.py", "models/readme.txt"]


def test_a_handler_that_an_ignore_file_takes_out_is_an_error(
    make_project: Make, root: Path, target: Target
) -> None:
    (root / ".gitignore").write_text("handler.py\n")
    project = make_project()
    with pytest.raises(BundleError, match=r"handler\.py holds the handler") as caught:
        code_tree(project, target, user_paths(project), {})
    (root / ".preheatignore").write_text("!/handler.py\n")
    assert "echo '!/handler.py' >> .preheatignore" in str(caught.value.hint)
    assert "handler.py" in user_paths(project)
