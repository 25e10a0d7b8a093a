"""What ships for Modal is complete, and a start needs no package before the model."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from preheat.bundle.model import Target
from preheat.bundle.shipped import shipped_files
from preheat_providers.modal.shipping import HEAVY, MODULES

PACKAGE = "preheat_providers.modal.shipped"
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
    target = Target(provider="modal", platform="linux", python=PYTHON, entry=MODULES)
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
    modules = imported(shipped, list(MODULES), str(Path(pytest.__file__).parents[1]))
    ours = {name: file for name, file in modules.items() if name.split(".")[0].startswith("preheat")}
    assert set(MODULES) <= ours.keys()
    assert not [name for name, file in ours.items() if not (file or "").startswith(str(shipped))]


def test_a_start_imports_no_package_and_no_web_framework(shipped: Path) -> None:
    names = [f"{PACKAGE}.entry", f"{PACKAGE}.container"]
    modules = imported(shipped, names)
    assert not {"modal", "starlette", "fastapi", "prometheus_client", "orjson"} & modules.keys()
    assert not HEAVY & modules.keys()


def test_what_starts_a_container_imports_next_to_nothing(shipped: Path) -> None:
    modules = imported(shipped, [f"{PACKAGE}.entry"])
    assert "preheat.runtime.engine" not in modules


def test_the_web_side_needs_no_prometheus_until_it_is_asked_for_numbers(shipped: Path) -> None:
    site = str(Path(pytest.__file__).parents[1])
    modules = imported(shipped, [f"{PACKAGE}.web"], site)
    assert not {"prometheus_client", "fastapi"} & modules.keys()


def test_all_of_it_is_in_the_contract_of_what_ships() -> None:
    pyproject = tomllib.loads(Path(__file__).parents[4].joinpath("pyproject.toml").read_text())
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    (contract,) = [each for each in contracts if each["name"].startswith("An entry that ships")]
    held = tuple(contract["source_modules"])
    assert not [name for name in MODULES if not any(f"{name}.".startswith(f"{each}.") for each in held)]
