"""What a user sees of the package, and what importing it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import preheat

SOURCE = Path(preheat.__file__)


def test_the_public_names_are_these() -> None:
    assert preheat.__all__ == [
        "BadInput",
        "Call",
        "Context",
        "File",
        "Handler",
        "HandlerError",
        "Image",
        "PreheatError",
        "Tensor",
        "batched",
        "cached",
        "threaded",
    ]


def test_every_public_name_is_imported_and_nothing_else() -> None:
    tree = ast.parse(SOURCE.read_text())
    imported = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(imported) == sorted(preheat.__all__) == preheat.__all__


def test_the_public_surface_fits_on_a_page() -> None:
    assert len(SOURCE.read_text().splitlines()) <= 40


def modules_after(statement: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


HEAVY = {"numpy", "PIL", "pydantic", "asyncio", "click", "fastapi", "jsonschema", "annotated_types"}


@pytest.mark.parametrize("module", ["preheat", "preheat.interface.contract", "preheat.interface.body"])
def test_importing_it_brings_nothing_heavy(module: str) -> None:
    assert not modules_after(f"import {module}") & HEAVY


def test_importing_preheat_brings_no_module_that_reads_paths() -> None:
    assert "pathlib" not in modules_after("import sys; sys.modules.pop('pathlib', None); import preheat")


def test_a_plain_handler_brings_nothing_heavy() -> None:
    statement = """
import preheat
from preheat.interface.contract import read_contract
class Model(preheat.Handler):
    def predict(self, file: preheat.File) -> dict[str, float]: ...
contract = read_contract(Model, "handler:Model")
contract.document()
contract.input.decode({"data": ""})
"""
    assert not modules_after(statement) & HEAVY
