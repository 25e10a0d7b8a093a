"""The start of a Lambda function under Python alone, beside hand-written ones: spawn -> first correct answer.

All answer one event of a Function URL for examples/embeddings with the same weights, and import the
same versions of the same packages. The naive ones have them as `sam build` leaves them: whole, without
byte-code, in a folder that nobody may write to; Lambda brings the AWS SDK. The tuned one has ours:
trimmed, with byte-code.
Every round starts each once, in turn. Run: `python -m tests.bench.cold_function [ROUNDS]`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import uv
from tests.bench.table import show
from tests.fakes.lambda_emulator import HANDLER, environment
from tests.fakes.lambda_events import version_2

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import base_interpreter, native_platform
from preheat.bundle.zip.archive import Layout, zip_bundle
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat_providers.aws_lambda.options import SCHEMA, Options
from preheat_providers.aws_lambda.settings import DEPENDENCIES, WEIGHTS, Settings
from preheat_providers.aws_lambda.target import packed_layers, target_of

ROOT = Path(__file__).parents[2]
FUNCTIONS = Path(__file__).parent / "functions"
KNOWN = json.loads((ROOT / "tests/functional/examples/minilm_float32.json").read_text())[0]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MEMORY_MB = 1769

NAIVE = "hand-written handler"
WEB = "FastAPI + Mangum"
TUNED = "hand-tuned script"
OURS = "preheat"


@dataclass(frozen=True)
class Contender:
    """A function to start. `path` is its import path."""

    module: str
    attribute: str
    path: tuple[Path, ...]
    env: Mapping[str, str]


def unpacked(folder: Path) -> Path:
    """Build the example for this machine and unpack its archive."""
    os.environ["PREHEAT_HOME"] = str(folder / "home")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    project_folder = Path(shutil.copytree(ROOT / "examples" / "embeddings", folder / "project"))
    project = load_project(project_folder, "dev", provider_schemas={"aws_lambda": SCHEMA})
    target = replace(target_of(project, Options()), python=PYTHON, platform=native_platform())
    bundle = build(project, target, report=quiet)
    layout = Layout(layers=packed_layers(Options()))
    archive = zip_bundle(bundle, layout, cache=Cache(folder / "home" / "cache"), report=quiet)
    zipfile.ZipFile(archive.path).extractall(folder / "task")
    return folder / "task"


def as_sam_builds(folder: Path, dependencies: Path, *more: str) -> Path:
    """Install the versions that are in `dependencies`, without byte-code."""
    names = ("numpy", "onnxruntime", "tokenizers", *more)
    wanted = [f"{name}=={_version(dependencies, name)}" for name in names]
    return _installed(folder, "--no-compile-bytecode", *wanted)


def _installed(folder: Path, *wanted: str) -> Path:
    install = ["pip", "install", "--quiet", "--target", str(folder), "--python", sys.executable]
    subprocess.run([uv.find_uv_bin(), *install, *wanted], check=True)
    return folder


def _version(dependencies: Path, name: str) -> str:
    (info,) = dependencies.glob(f"{name}-*.dist-info")
    return info.name.removeprefix(f"{name}-").removesuffix(".dist-info")


def started(contender: Contender, event: Path) -> float:
    """Start a function and return how many milliseconds its first answer took."""
    files = [str(base_interpreter()), "-B", str(FUNCTIONS / "call.py"), str(event)]
    env = {**contender.env, "PYTHONPATH": os.pathsep.join(map(str, contender.path)), "PATH": "/usr/bin:/bin"}
    begun = time.perf_counter()
    done = subprocess.run([*files, contender.module, contender.attribute], env=env, capture_output=True)
    elapsed = (time.perf_counter() - begun) * 1000
    assert done.returncode == 0, done.stderr.decode()
    assert float(np.dot(json.loads(done.stdout)["vector"], KNOWN["vector"])) > 0.99
    return elapsed


def contenders(folder: Path) -> dict[str, Contender]:
    """Return everything that is to be started."""
    task = unpacked(folder)
    dependencies = task / DEPENDENCIES
    plain = {"WEIGHTS": str(task / WEIGHTS), "ORT_DISABLE_TELEMETRY": "1"}
    naive = as_sam_builds(folder / "naive", dependencies)
    web = as_sam_builds(folder / "web", dependencies, "fastapi", "mangum")
    sdk = _installed(folder / "sdk", "--compile-bytecode", "boto3")
    settings = Settings(stage="dev", release="r1").environment()
    lambda_env = environment(task, 60, MEMORY_MB) | settings | {"ORT_DISABLE_TELEMETRY": "1"}
    module, _, attribute = HANDLER.rpartition(".")
    return {
        WEB: Contender("web", "handler", (web, FUNCTIONS), plain),
        NAIVE: Contender("naive", "handler", (naive, sdk, FUNCTIONS), plain),
        TUNED: Contender("tuned", "handler", (dependencies, FUNCTIONS), plain),
        OURS: Contender(module, attribute, (task,), lambda_env | {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}),
    }


def main(rounds: int = 15) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        event = folder / "event.json"
        body = json.dumps({"text": KNOWN["text"]}).encode()
        event.write_text(json.dumps(version_2("/invocations", body, {"content-type": "application/json"})))
        known = contenders(folder)
        figures: dict[str, list[float]] = {each: [] for each in known}
        for number in range(rounds + 1):
            measured = {each: started(contender, event) for each, contender in known.items()}
            if number:  # the first round fills the page cache
                for each, elapsed in measured.items():
                    figures[each].append(elapsed)
        title = "Lambda start: spawn -> first correct answer (examples/embeddings)"
        for baseline, aim in ((WEB, "0.300"), (NAIVE, "0.450"), (TUNED, "1.150")):
            show(f"{title}, beside: {baseline}", figures, baseline=baseline, unit="ms", aims={OURS: aim})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
