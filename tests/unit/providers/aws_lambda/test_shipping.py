"""What ships for Lambda is complete, and starts with the standard library alone."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from preheat.bundle.model import Target
from preheat.bundle.shipped import shipped_files
from preheat_providers.aws_lambda.shipping import CONTAINER, HEAVY, MODULES
from preheat_providers.aws_lambda.target import FETCHING

PACKAGE = "preheat_providers.aws_lambda.shipped"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SCRIPT = """
import importlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
for name in json.loads(sys.argv[2]):
    importlib.import_module(name)
print(json.dumps({name: getattr(module, "__file__", None) for name, module in sys.modules.items()}))
"""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds exactly what ships."""
    into = tmp_path_factory.mktemp("shipped")
    target = Target(
        provider="aws_lambda", platform="linux", python=PYTHON, entry=(*MODULES, *FETCHING, CONTAINER)
    )
    for name, source in shipped_files(target, "app:Model", "").items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, into / name)
    return into


def imported(shipped: Path, names: list[str], *packages: str) -> dict[str, str | None]:
    """Return the modules that importing `names` brings, with their files; `packages` are other folders."""
    python = Path(sys.base_prefix) / "bin" / f"python{PYTHON}"
    path = json.dumps([str(shipped), *packages])
    done = subprocess.run(
        [python, "-I", "-S", "-c", SCRIPT, path, json.dumps(names)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    modules: dict[str, str | None] = json.loads(done.stdout)
    return modules


def test_every_module_imports_nothing_of_ours_that_stays_behind(shipped: Path) -> None:
    modules = imported(shipped, [*MODULES, *FETCHING, CONTAINER], str(Path(pytest.__file__).parents[1]))
    ours = {name: file for name, file in modules.items() if name.split(".")[0].startswith("preheat")}
    assert {*MODULES, *FETCHING, CONTAINER} <= ours.keys()
    assert not [name for name, file in ours.items() if not (file or "").startswith(str(shipped))]


def test_every_module_that_one_of_them_imports_sooner_or_later_ships_too(shipped: Path) -> None:
    for path in (shipped / "preheat_providers").rglob("*.py"):
        named = re.findall(rf"(?:from|import) ({re.escape(PACKAGE)}\.[\w.]+)", path.read_text())
        assert set(named) <= {*MODULES, *FETCHING}, path.name


def test_a_start_needs_the_standard_library_alone(shipped: Path) -> None:
    modules = imported(shipped, [name for name in (*MODULES, *FETCHING) if name not in HEAVY])
    top = {name.partition(".")[0] for name in modules if not name.startswith("_")}
    assert top - sys.stdlib_module_names - {"preheat", "preheat_providers"} == set()


def test_a_start_imports_none_of_the_librarys_heavy_parts(shipped: Path) -> None:
    heavy = {"asyncio", "ctypes", "email", "http", "multiprocessing", "sqlite3", "ssl", "unittest"}
    assert imported(shipped, [f"{PACKAGE}.entry"]).keys() & heavy == set()


def test_the_contract_on_imports_covers_all_of_it() -> None:
    root = next(parent for parent in Path(__file__).parents if (parent / "pyproject.toml").is_file())
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (sources,) = [each["source_modules"] for each in contracts if each["name"].startswith("An entry that")]
    assert PACKAGE in sources
    assert all(name.startswith(f"{PACKAGE}.") for name in (*MODULES, *FETCHING))
