"""The start of a Lambda function under Python alone, beside hand-written ones: spawn -> first correct answer.

All answer one event of a Function URL with the same weights, and import the same versions of the same
packages. The naive ones have them as `sam build` leaves them: whole, without byte-code, in a folder that
nobody may write to; Lambda brings the AWS SDK. The tuned one has ours: trimmed, with byte-code, and the
same variables. The Python has the runtime client, nothing else.

Three models: that of examples/embeddings (int8, 23 MB), and the same in float32 (90 MB), in one file and
with its weights in a file of their own, which onnxruntime maps instead of reading it.
Every round starts each once, in turn. Run: `python -m tests.bench.cold_function [ROUNDS]`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import uv
from tests.bench.table import show
from tests.fakes.environments import python_with
from tests.fakes.lambda_emulator import CLIENT, HANDLER, Unpacked, environment
from tests.fakes.lambda_events import version_2

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import native_platform
from preheat.bundle.zip.archive import zip_bundle
from preheat.interface.threads import library_environment
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat.project.home import home
from preheat_providers.aws_lambda.options import SCHEMA, Options
from preheat_providers.aws_lambda.shipped.settings import WEIGHTS, Settings
from preheat_providers.aws_lambda.target import IMPORTED, environment_of, layouts_of, target_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "embeddings"
FUNCTIONS = Path(__file__).parent / "functions"
KNOWN = json.loads((ROOT / "tests/functional/examples/minilm_float32.json").read_text())[0]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MEMORY_MB = 1769

NAIVE = "hand-written handler"
WEB = "FastAPI + Mangum"
TUNED = "hand-tuned script"
OURS = "preheat"
AIMS = ((WEB, "0.300"), (NAIVE, "0.450"), (TUNED, "1.150"))


@dataclass(frozen=True)
class Contender:
    """A function to start. `path` is its import path."""

    module: str
    attribute: str
    path: tuple[Path, ...]
    env: Mapping[str, str]


@dataclass(frozen=True)
class Package:
    """A project as Lambda unpacks it, and the variables that a deploy would set."""

    unpacked: Unpacked
    variables: Mapping[str, str]

    @property
    def libraries(self) -> Path:
        return self.unpacked.opt / IMPORTED

    def weight(self, name: str) -> Path:
        (found,) = (self.unpacked.opt / WEIGHTS).rglob(name)
        return found


def packed(root: Path, folder: Path) -> Package:
    """Build the project in `root` for this machine and unpack its archives below `folder`."""
    project = load_project(root, "dev", provider_schemas={"aws_lambda": SCHEMA})
    target = replace(target_of(project, Options()), python=PYTHON, platform=native_platform())
    bundle = build(project, target, report=quiet)
    unpacked = Unpacked(folder / "task", folder / "opt")
    for name, layout in layouts_of(bundle, Options()).items():
        archive = zip_bundle(bundle, layout, cache=Cache(home() / "cache"), report=quiet)
        place = unpacked.task if name == "function" else unpacked.opt
        zipfile.ZipFile(archive.path).extractall(place)
    variables = environment_of(project, Options()) | Settings(stage="dev").environment()
    return Package(unpacked, variables)


def in_float32(example: Package, root: Path, *, beside: bool) -> Path:
    """Make a copy of the project of `example` in `root`, with its model in float32."""
    shutil.copytree(EXAMPLE, root)
    (root / "model").mkdir()
    made = [FUNCTIONS / "model.py", example.weight("model.onnx"), root / "model/model.onnx"]
    data = ["model.onnx.data"] if beside else []
    env = {"PYTHONPATH": str(example.libraries), **library_environment(1)}
    subprocess.run([python_with(CLIENT), *made, *data], env=env, check=True)
    edit(root / "preheat.toml", r'source = ".*model\.onnx"\nsha256 = .*', 'source = "file:model"')
    return root


def edit(path: Path, pattern: str, text: str) -> None:
    """Replace the one match of `pattern`."""
    edited, count = re.subn(pattern, text, path.read_text())
    assert count == 1, f"{path} has {count} of {pattern}"
    path.write_text(edited)


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
    call = (FUNCTIONS / "call.py", event, contender.module, contender.attribute)
    env = {**contender.env, "PYTHONPATH": os.pathsep.join(map(str, contender.path)), "PATH": "/usr/bin:/bin"}
    python = python_with(CLIENT)
    begun = time.perf_counter()
    with subprocess.Popen(
        (python, "-B", *call), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        answer = process.stdout.readline()
        elapsed = (time.perf_counter() - begun) * 1000
        _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    assert float(np.dot(json.loads(answer)["vector"], KNOWN["vector"])) > 0.99
    return elapsed


class Peers:
    """What the hand-written functions import, installed once."""

    def __init__(self, folder: Path, libraries: Path) -> None:
        self.naive = as_sam_builds(folder / "naive", libraries)
        self.web = as_sam_builds(folder / "web", libraries, "fastapi", "mangum")
        self.sdk = _installed(folder / "sdk", "--compile-bytecode", "boto3")

    def beside(self, ours: Package) -> dict[str, Contender]:
        """Return everything that is to be started."""
        weights = {
            "MODEL": str(ours.weight("model.onnx")),
            "TOKENIZER": str(ours.weight("tokenizer.json")),
        }
        plain = {**weights, "ORT_DISABLE_TELEMETRY": "1"}
        return {
            WEB: Contender("web", "handler", (self.web, FUNCTIONS), plain),
            NAIVE: Contender("naive", "handler", (self.naive, self.sdk, FUNCTIONS), plain),
            TUNED: Contender("tuned", "handler", (ours.libraries, FUNCTIONS), plain | library_environment(1)),
            OURS: deployed(ours),
        }


def deployed(package: Package) -> Contender:
    """Return the function that a deploy of `package` starts."""
    module, _, attribute = HANDLER.rpartition(".")
    runtime = environment(package.unpacked, 60, MEMORY_MB) | {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}
    return Contender(module, attribute, package.unpacked.path, runtime | dict(package.variables))


def compared(contenders: Mapping[str, Contender], event: Path, rounds: int) -> dict[str, list[float]]:
    """Start each contender once a round, after one round that fills the page cache."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            elapsed = started(contender, event)
            if number:
                figures[name].append(elapsed)
    return figures


@contextmanager
def workplace() -> Iterator[tuple[Path, Path]]:
    """An empty folder, with a home of preheat in it, and the file of the event that asks for a vector."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["PREHEAT_HOME"] = str(folder / "home")
        event = folder / "event.json"
        body = json.dumps({"text": KNOWN["text"]}).encode()
        event.write_text(json.dumps(version_2("/invocations", body, {"content-type": "application/json"})))
        yield folder, event


def main(rounds: int = 15) -> None:
    """Print the tables."""
    with workplace() as (folder, event):
        example = packed(Path(shutil.copytree(EXAMPLE, folder / "project")), folder / "int8")
        peers = Peers(folder, example.libraries)
        models: dict[str, Package] = {"int8, 23 MB": example}
        for layout, beside in (("float32, 90 MB in one file", False), ("float32, 90 MB, data file", True)):
            root = in_float32(example, folder / f"project-{beside}", beside=beside)
            models[layout] = packed(root, folder / f"float32-{beside}")
        for layout, package in models.items():
            figures = compared(peers.beside(package), event, rounds)
            for baseline, aim in AIMS:
                title = f"Lambda start, {layout}: spawn -> first correct answer, beside: {baseline}"
                show(title, figures, baseline=baseline, unit="ms", aims={OURS: aim})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
