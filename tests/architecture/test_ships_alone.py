"""What ships runs on the standard library alone, without the parts of ours that stay behind."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from preheat.bundle.model import Target
from preheat.bundle.shipped import shipped_files

ENTRY = "preheat_providers.local.entry"
OPTIONAL = ("numpy", "PIL", "pydantic")
"""Read by the one module for each of them, which is imported where the user's own types need it."""

LEFT_BEHIND = ("bundle", "plan", "provider", "project", "cli", "deploy", "findings", "progress")

SCRIPT = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
for name in json.loads(sys.argv[2]):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name not in sys.argv[3].split():
            raise
print(json.dumps({name: getattr(module, "__file__", None) for name, module in sys.modules.items()}))
"""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds exactly what ships for the local provider."""
    into = tmp_path_factory.mktemp("shipped")
    target = Target(provider="local", platform="linux", python="3.11", entry=(ENTRY,))
    for name, source in shipped_files(target, "app:Model", "").items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, into / name)
    return into


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported(folder: Path, names: list[str]) -> dict[str, str | None]:
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    run = subprocess.run(
        [python, "-I", "-S", "-c", SCRIPT, folder, json.dumps(names), " ".join(OPTIONAL)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert run.returncode == 0, run.stderr
    modules: dict[str, str | None] = json.loads(run.stdout)
    return modules


def test_every_module_that_ships_imports_with_the_standard_library_alone(shipped: Path) -> None:
    names = [module_name(path.relative_to(shipped)) for path in sorted(shipped.rglob("*.py"))]
    modules = imported(shipped, names)
    top = {name.partition(".")[0] for name in modules}
    foreign = top - sys.stdlib_module_names - {"preheat", "preheat_providers", "__main__"}
    assert {name for name in foreign if not name.startswith("_")} == set()
    optional = {name for name in names if name not in modules}
    assert all(name.startswith("preheat.interface.") for name in optional), optional
    assert len(optional) < 5


def test_nothing_of_ours_that_stays_behind_is_shipped_or_imported(shipped: Path) -> None:
    modules = imported(shipped, ["preheat", ENTRY, "preheat.runtime.zygote"])
    ours = [name for name in modules if name.startswith("preheat")]
    assert not [name for name in ours if name.startswith(tuple(f"preheat.{part}" for part in LEFT_BEHIND))]
    assert not [part for part in LEFT_BEHIND if (shipped / "preheat" / part).exists()]
    assert all((modules[name] or "").startswith(str(shipped)) for name in ours)


def test_a_worker_start_imports_none_of_the_librarys_heavy_parts(shipped: Path) -> None:
    modules = imported(shipped, ["preheat.runtime.worker"])
    heavy = {"ctypes", "email", "http", "multiprocessing", "sqlite3", "unittest", "xml"}
    assert {name.partition(".")[0] for name in modules} & heavy == set()
