"""What ships for Lambda is complete, and starts with the standard library alone."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import preheat_providers.aws_lambda
from preheat_providers.aws_lambda.shipping import HEAVY, MODULES

PACKAGE = "preheat_providers.aws_lambda"
FOLDER = Path(preheat_providers.aws_lambda.__file__).parent
SCRIPT = """
import importlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
for name in json.loads(sys.argv[2]):
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""


def imported(names: list[str]) -> set[str]:
    roots = [str(FOLDER.parents[1]), str(FOLDER.parents[2] / "framework")]
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    done = subprocess.run(
        [python, "-I", "-S", "-c", SCRIPT, json.dumps(roots), json.dumps(names)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_every_module_that_one_of_them_imports_ships_too() -> None:
    for name in MODULES:
        text = FOLDER.joinpath(*name.removeprefix(f"{PACKAGE}.").split(".")).with_suffix(".py").read_text()
        named = set(re.findall(rf"(?:from|import) ({re.escape(PACKAGE)}\.[\w.]+)", text))
        unshipped = {each for each in named if each not in MODULES and ".weights." not in each}
        assert not unshipped, f"{name} imports {unshipped}"


def test_a_start_needs_the_standard_library_alone() -> None:
    modules = imported([name for name in MODULES if name not in HEAVY])
    top = {name.partition(".")[0] for name in modules if not name.startswith("_")}
    assert top - sys.stdlib_module_names - {"preheat", "preheat_providers"} == set()


def test_a_start_imports_none_of_the_librarys_heavy_parts() -> None:
    heavy = {"asyncio", "ctypes", "email", "http", "multiprocessing", "sqlite3", "ssl", "unittest"}
    assert imported([f"{PACKAGE}.entry"]) & heavy == set()
