import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.onnx_writer import iris_model

from preheat.errors import ProjectError
from preheat.project.config import load_project
from preheat.project.handler_source import look_at_handler
from preheat.project.scaffold import TEMPLATES, scaffold, template_names

FILES = (".gitignore", "README.md", "handler.py", "preheat.toml", "tests/test_handler.py")
NAMES = ("image-upload", "minimal", "onnx")


def test_these_are_the_templates() -> None:
    assert template_names() == NAMES


@pytest.mark.parametrize("template", NAMES)
def test_a_project_has_its_files_and_no_placeholder(tmp_path: Path, template: str) -> None:
    made = scaffold("my-model", template, tmp_path / "my-model")
    names = {path.relative_to(tmp_path / "my-model").as_posix() for path in made}
    assert names == {*FILES, *(["models/iris.onnx"] if template == "onnx" else [])}
    assert made == tuple(sorted(path for path in (tmp_path / "my-model").rglob("*") if path.is_file()))
    assert not [path for path in made if b"{{" in path.read_bytes()]


@pytest.mark.parametrize("template", NAMES)
@pytest.mark.parametrize("name", ["a", "my-model", "m" * 48])
def test_a_project_is_valid_at_once(tmp_path: Path, template: str, name: str) -> None:
    scaffold(name, template, tmp_path / "p")
    project = load_project(tmp_path / "p", "dev", provider_schemas={})
    assert project.name == name
    assert look_at_handler(project) == ()


@pytest.mark.parametrize("template", NAMES)
def test_the_handler_has_a_contract_and_examples_that_fit_it(tmp_path: Path, template: str) -> None:
    scaffold("my-model", template, tmp_path / "p")
    reference = load_project(tmp_path / "p", "dev", provider_schemas={}).handler
    code = (
        "from preheat.interface.contract import read_contract\n"
        "from preheat.interface.importing import import_handler\n"
        "from preheat.interface.check import check_examples\n"
        f"handler = import_handler({reference!r})\n"
        f"contract = read_contract(handler, {reference!r})\n"
        "assert contract.description and list(handler().examples())\n"
        "print(check_examples(contract, handler()))\n"
    )
    assert run_in(tmp_path / "p", "-c", code).strip() == "()"


@pytest.mark.parametrize("template", NAMES)
def test_the_projects_own_tests_pass(tmp_path: Path, template: str) -> None:
    scaffold("my-model", template, tmp_path / "p")
    output = run_in(tmp_path / "p", "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    assert "passed" in output
    assert "skipped" not in output


@pytest.mark.parametrize("template", NAMES)
def test_the_code_is_formatted(tmp_path: Path, template: str) -> None:
    scaffold("my-model", template, tmp_path / "p")
    ruff = ("-m", "ruff")
    rules = ("--select", "E,F,I,B,UP,RUF", "--line-length", "110")
    run_in(tmp_path / "p", *ruff, "check", "--isolated", "--no-cache", *rules, ".")
    run_in(
        tmp_path / "p", *ruff, "format", "--isolated", "--no-cache", "--check", "--line-length", "110", "."
    )


def test_every_python_file_of_a_template_parses(tmp_path: Path) -> None:
    for source in TEMPLATES.rglob("*.py.tmpl"):
        ast.parse(source.read_text().replace("{{name}}", "x"))


def test_the_model_in_the_onnx_template_is_the_one_that_the_writer_explains() -> None:
    assert (TEMPLATES / "onnx" / "models" / "iris.onnx").read_bytes() == iris_model()


@pytest.mark.parametrize(("name", "better"), [("My Model", "my-model"), ("9", "model-9"), ("../x", "x")])
def test_an_invalid_name_names_the_nearest_and_makes_nothing(tmp_path: Path, name: str, better: str) -> None:
    with pytest.raises(ProjectError) as raised:
        scaffold(name, "minimal", tmp_path / "p")
    assert raised.value.hint == f"preheat init {better}"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_template_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as raised:
        scaffold("demo", "image_uplod", tmp_path / "p")
    assert raised.value.hint == "preheat init demo --template image-upload"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "handler.py").write_text("mine")
    with pytest.raises(ProjectError, match="exists already"):
        scaffold("demo", "minimal", tmp_path / "p")
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["handler.py"]
    assert (tmp_path / "p" / "handler.py").read_text() == "mine"


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_or_a_link_in_the_place_of_the_folder_is_left_alone(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "p"
    if kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match="exists already"):
        scaffold("demo", "minimal", target)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    assert len(scaffold("demo", "minimal", tmp_path / "p")) == len(FILES)


def test_a_path_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be written"):
        scaffold("demo", "minimal", tmp_path / ("x" * 256))


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import resource, signal\n"
        "from pathlib import Path\n"
        "from preheat.errors import ProjectError\n"
        "from preheat.project.scaffold import scaffold\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n"
        "    scaffold('demo', 'minimal', Path('p'))\n"
        "except ProjectError as error:\n"
        "    print(error)\n"
    )
    assert "File too large" in run_in(tmp_path, "-c", code)
    assert list(tmp_path.iterdir()) == []


def test_parents_are_made_and_the_umask_is_respected(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        scaffold("demo", "minimal", tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o750


def run_in(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
