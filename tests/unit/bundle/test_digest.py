import os
from pathlib import Path

import pytest

from preheat.bundle.digest import File, content_file, read_folder, safe_path, tree_digest
from preheat.errors import BundleError


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n")
    return folder


def test_the_order_of_creation_the_umask_times_and_the_folder_do_not_count(tmp_path: Path) -> None:
    first = write(tmp_path / "one", "a.py", "b/c.py", "d.bin")
    before = os.umask(0o077)
    try:
        second = write(tmp_path / "two", "d.bin", "b/c.py", "a.py")
    finally:
        os.umask(before)
    os.utime(second / "a.py", (1, 1))
    assert tree_digest(read_folder(first)) == tree_digest(read_folder(second))


def test_a_renamed_module_changes_the_digest() -> None:
    content = content_file(b"x = 1\n")
    assert tree_digest({"a.py": content}) != tree_digest({"b.py": content})


def test_content_moved_between_files_changes_the_digest() -> None:
    one, two = content_file(b"1"), content_file(b"2")
    assert tree_digest({"a": one, "b": two}) != tree_digest({"a": two, "b": one})


def test_what_can_be_run_is_told_from_what_cannot() -> None:
    plain = content_file(b"#!/bin/sh\n")
    script = File(plain.source, plain.sha256, plain.bytes, executable=True)
    assert (plain.mode, script.mode) == (0o644, 0o755)
    assert tree_digest({"a": plain}) != tree_digest({"a": script})


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "layer", "a.py")
    (folder / "b.py").symlink_to("a.py")
    with pytest.raises(BundleError, match=r"b\.py is neither a file nor a folder"):
        read_folder(folder)


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", "a//x", "", ".", "a\\b", "a\0b", "a/"])
def test_a_path_that_leaves_its_folder_is_refused(path: str) -> None:
    with pytest.raises(BundleError, match="refused"):
        safe_path(path)


def test_a_path_inside_its_folder_is_taken() -> None:
    assert safe_path("models/.hidden/x..onnx") == "models/.hidden/x..onnx"
