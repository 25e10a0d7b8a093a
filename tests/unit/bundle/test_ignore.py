from pathlib import Path

import pytest

from preheat.bundle.ignore import ignore_files, project_files
from preheat.errors import BundleError


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def names(root: Path) -> list[str]:
    return [name for name, _ in project_files(root)]


def test_what_is_never_code_is_left_out(tmp_path: Path) -> None:
    write(
        tmp_path,
        "app.py",
        ".git/config",
        ".venv/x.py",
        "a/__pycache__/x.pyc",
        ".preheat/x",
        "tests/test_a.py",
    )
    write(
        tmp_path,
        "preheat.toml",
        "preheat.lock",
        ".gitignore",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "a/preheat.toml",
    )
    assert names(tmp_path) == ["a/preheat.toml", "app.py", "tests/test_a.py"]


def test_gitignore_counts_as_git_reads_it(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "build/x.py", "data/a.csv", "data/keep.csv", "sub/note.md", "note.md")
    (tmp_path / ".gitignore").write_text("build/\n*.csv\n!keep.csv\n/note.md\n")
    assert names(tmp_path) == ["app.py", "data/keep.csv", "sub/note.md"]


def test_a_nested_ignore_file_decides_before_the_one_above(tmp_path: Path) -> None:
    write(tmp_path, "a/x.csv", "b/x.csv")
    (tmp_path / ".gitignore").write_text("*.csv\n")
    (tmp_path / "b" / ".gitignore").write_text("!x.csv\n")
    assert names(tmp_path) == ["b/x.csv"]


def test_preheatignore_adds_and_brings_back(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "models/x.onnx", "notes/todo.md")
    (tmp_path / ".gitignore").write_text("models/\n")
    (tmp_path / ".preheatignore").write_text("!models/\nnotes/\n")
    assert names(tmp_path) == ["app.py", "models/x.onnx"]


def test_ignore_files_above_count_up_to_the_top_of_the_checkout(tmp_path: Path) -> None:
    project = tmp_path / "repo" / "project"
    write(project, "app.py", "x.log")
    (tmp_path / ".gitignore").write_text("*.py\n")
    assert names(project) == ["app.py", "x.log"]
    (tmp_path / "repo" / ".git").mkdir()
    (tmp_path / "repo" / ".gitignore").write_text("*.log\n")
    assert names(project) == ["app.py"]
    assert list(ignore_files(project)) == [tmp_path / "repo" / ".gitignore"]


def test_a_link_to_a_file_inside_counts_as_that_file(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    (tmp_path / "b.py").symlink_to("a.py")
    assert dict(project_files(tmp_path)) == {"a.py": tmp_path / "a.py", "b.py": tmp_path / "a.py"}


@pytest.mark.parametrize("target", ["../outside.py", "/etc/hostname", "missing.py", "folder"])
def test_any_other_link_is_refused_with_the_line_that_excludes_it(tmp_path: Path, target: str) -> None:
    project = tmp_path / "project"
    write(project, "app.py", "folder/x.py")
    write(tmp_path, "outside.py")
    (project / "link.py").symlink_to(target)
    with pytest.raises(BundleError, match=r"symbolic link link\.py") as caught:
        names(project)
    assert "echo '/link.py' >> .preheatignore" in str(caught.value.hint)
    (project / ".preheatignore").write_text("/link.py\n")
    assert names(project) == ["app.py", "folder/x.py"]
