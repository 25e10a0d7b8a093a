from pathlib import Path

import pytest

from preheat.bundle.cache import Cache
from preheat.bundle.digest import content_file, read_file, read_folder, tree_digest
from preheat.bundle.layers import materialise
from preheat.errors import BundleError


def test_a_layer_holds_exactly_its_tree(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "script").chmod(0o700)
    tree = {"a/b/c.txt": content_file(b"text"), "run": read_file(tmp_path / "script")}
    layer = materialise(cache, "code", tree)
    assert layer.path.name == f"code-{layer.digest.removeprefix('sha256:')}"
    assert tree_digest(read_folder(layer.path)) == layer.digest
    assert layer.bytes == 4 + 10
    assert (layer.path / "run").stat().st_mode & 0o777 == 0o755


def test_what_the_cache_holds_is_linked_and_the_users_files_are_copied(cache: Cache, tmp_path: Path) -> None:
    ours = cache.blob("0" * 64)
    ours.parent.mkdir(parents=True)
    ours.write_text("weights")
    theirs = tmp_path / "handler.py"
    theirs.write_text("x = 1\n")
    layer = materialise(cache, "code", {"w": read_file(ours), "handler.py": read_file(theirs)})
    assert (layer.path / "w").samefile(ours)
    theirs.write_text("x = 2\n")
    assert (layer.path / "handler.py").read_text() == "x = 1\n"


def test_a_file_that_changes_while_it_is_built_is_an_error_and_leaves_no_layer(
    cache: Cache, tmp_path: Path
) -> None:
    path = tmp_path / "handler.py"
    path.write_text("x = 1\n")
    tree = {"handler.py": read_file(path)}
    path.write_text("x = 2\n")
    with pytest.raises(BundleError, match="changed while it was being built"):
        materialise(cache, "code", tree)
    assert not (cache.root / "layers").exists()


def test_an_empty_layer_is_a_layer(cache: Cache) -> None:
    layer = materialise(cache, "weights", {})
    assert layer.path.is_dir()
    assert layer.bytes == 0
