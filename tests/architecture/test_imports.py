"""Who may import whom: the contracts of pyproject.toml, and what no contract can say."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ("framework", "handlers", "providers")
PACKAGES = ("preheat", "preheat_handlers", "preheat_providers")
STANDALONE = ("preheat", "preheat.interface.message", "preheat.runtime.wire", "preheat.runtime.batching")
SDKS = {"boto3", "botocore", "modal", "sagemaker"}
PRINTING = {"print", "click.echo", "click.secho"}
WRITING = {"sys.stdout.write", "sys.stdout.buffer.write", "sys.stderr.write"}


def modules() -> list[Path]:
    return [path for root in SOURCE_ROOTS for path in sorted((ROOT / root).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def imports_at_import_time(tree: ast.Module) -> set[str]:
    """Return the top-level packages that a module imports before one of its functions runs."""
    found: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        match pending.pop():
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                continue
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=orelse):
                pending += orelse
            case ast.Import(names=aliases):
                found |= {alias.name.split(".")[0] for alias in aliases}
            case ast.ImportFrom(module=str(module)):
                found.add(module.split(".")[0])
            case node:
                pending += ast.iter_child_nodes(node)
    return found


def test_every_import_contract_is_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_a_source_root_is_no_package(root: Path) -> None:
    assert not (ROOT / root / "__init__.py").exists()


def test_only_the_screen_prints() -> None:
    callers = {name_of(path) for path in modules() if PRINTING & set(calls(ast.parse(path.read_text())))}
    assert callers == {"framework/preheat/cli/render.py"}


def test_what_writes_to_standard_output_is_a_process_of_its_own() -> None:
    """Its output is a message to the process that started it, or a page, never progress for a reader."""
    writers = {name_of(path) for path in modules() if WRITING & set(calls(ast.parse(path.read_text())))}
    assert [name for name in writers if '__name__ == "__main__"' not in (ROOT / name).read_text()] == []


def test_a_cloud_sdk_is_imported_inside_a_function_or_by_a_client_only() -> None:
    """A missing extra must be an error with its line to paste, not a failure to import."""
    importers = {
        name_of(path): imports_at_import_time(ast.parse(path.read_text())) & SDKS
        for path in modules()
        if path.name != "client.py"
    }
    assert {name: found for name, found in importers.items() if found} == {}


@pytest.mark.parametrize("module", STANDALONE)
def test_what_ships_is_imported_with_nothing_but_the_standard_library(module: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'framework')!r}); import {module}"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_the_command_line_starts_without_the_runtime_and_the_bundle_stage() -> None:
    code = (
        "import sys, preheat.cli.main\n"
        "ours = [name for name in sys.modules if name.startswith(('preheat.runtime', 'preheat_'))]\n"
        "print(ours + [name for name in ('preheat.bundle.build', 'preheat.deploy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
