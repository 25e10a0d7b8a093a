import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from preheat.bundle.cache import Cache
from preheat.bundle.digest import read_files
from preheat.bundle.interpreter import base_interpreter
from preheat.bundle.layers import materialise
from preheat.bundle.model import Target
from preheat.bundle.shipped import package_folder, shipped_files, shipped_from
from preheat.errors import BundleError

BROUGHT = {"numpy", "pydantic", "PIL"}
"""Imported only for arrays, models and pictures, by modules that are loaded for nothing else."""
IMPORT_ALL = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
absent = set()
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        absent.add(error.name)
tops = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - {"__main__"}
print(*sorted(absent), *sorted(tops))
"""


def test_exactly_what_ships_can_be_imported_with_nothing_else(target: Target, cache: Cache) -> None:
    files = shipped_files(target, "handler:Model", "")
    layer = materialise(cache, "code", read_files(files))
    modules = [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files]
    command = [str(base_interpreter()), "-I", "-S", "-B", "-c", IMPORT_ALL, str(layer.path), *modules]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(answer.stdout.split()) - BROUGHT == {"preheat", "preheat_providers"}


def test_the_entry_ships_with_the_packages_around_it_and_no_more(target: Target) -> None:
    files = shipped_files(target, "handler:Model", "")
    ours = sorted(path for path in files if path.startswith("preheat_providers/"))
    assert ours == [
        "preheat_providers/__init__.py",
        "preheat_providers/local/__init__.py",
        "preheat_providers/local/entry.py",
    ]


def test_what_only_the_build_or_the_gateway_needs_stays_at_home(target: Target) -> None:
    files = shipped_files(target, "handler:Model", "")
    for part in ("bundle", "plan", "project", "provider", "cli", "runtime/surface", "runtime/metrics"):
        assert not [path for path in files if path.startswith(f"preheat/{part}")]
    assert not [path for path in files if not path.endswith(".py")]


def test_the_gateway_ships_with_an_entry_that_imports_it(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "acme_cloud"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "entry.py").write_text("from preheat.runtime.surface import build_app\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    files = shipped_files(replace(target, entry=("acme_cloud.entry",)), "handler:Model", "")
    assert "acme_cloud/entry.py" in files
    assert "preheat/runtime/surface/__init__.py" in files


def test_only_the_ready_made_handler_in_use_ships(target: Target) -> None:
    assert not [path for path in shipped_files(target, "handler:Model", "") if "handlers" in path]
    with pytest.raises(BundleError, match=r"no module preheat_handlers\.nosuch"):
        shipped_files(target, "preheat_handlers.nosuch:Model", "")
    for text in ("import preheat_handlers.nosuch", "from preheat_handlers import nosuch as x"):
        with pytest.raises(BundleError, match=r"no module preheat_handlers\.(nosuch|as|x)"):
            shipped_files(target, "handler:Model", text)


@pytest.mark.parametrize(
    ("handler", "text", "parts"),
    [
        ("preheat_handlers.function:text.words", "", {"function.py"}),
        ("preheat_handlers.sklearn:SklearnHandler", "", {"sklearn.py", "rows.py"}),
        ("preheat_handlers.onnx:OnnxHandler", "", {"onnx", "rows.py"}),
        ("handler:Model", "from preheat_handlers.onnx.session import open_session", {"onnx", "rows.py"}),
        ("handler:Model", "from preheat_handlers import onnx", {"onnx", "rows.py"}),
    ],
)
def test_a_ready_made_handler_ships_whole_with_what_it_imports_and_no_other(
    target: Target, handler: str, text: str, parts: set[str]
) -> None:
    folder = package_folder("preheat_handlers")
    files = shipped_files(target, handler, text)
    found = {path.split("/")[1] for path in files if path.startswith("preheat_handlers/")}
    assert found == {"__init__.py", *parts}
    for part in parts & {"onnx"}:
        inside = {path.name for path in files.values() if path.parent == folder / part}
        assert inside == {path.name for path in (folder / part).glob("*.py")}


@pytest.mark.parametrize("name", ["onnx", "function", "rows", "sklearn", "transformers", "llama_cpp"])
def test_a_ready_made_handler_imports_with_numpy_alone(target: Target, cache: Cache, name: str) -> None:
    files = shipped_files(target, f"preheat_handlers.{name}:Any", "")
    layer = materialise(cache, "code", read_files(files))
    modules = [
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in files
        if path.startswith("preheat_handlers/")
    ]
    command = [str(base_interpreter()), "-I", "-S", "-B", "-c", IMPORT_ALL, str(layer.path), *modules]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(answer.stdout.split()) <= {"preheat", "preheat_handlers", "numpy"}


def test_a_package_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(BundleError, match="no_such_package is not installed"):
        package_folder("no_such_package")


def test_whatever_can_ship_is_watched(target: Target) -> None:
    assert set(shipped_files(target, "handler:Model", "").values()) <= set(shipped_from(target))
