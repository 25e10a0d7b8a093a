"""Projects as Lambda unpacks them, built once in a run, and functions of them in the real runtime."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.environments import PYTHON, python_with
from tests.fakes.lambda_emulator import CLIENT, Emulator, Unpacked
from tests.fakes.lambda_runtime_api import RuntimeApi, runtime_api
from tests.fakes.ports import free_port

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import native_platform
from preheat.bundle.zip.archive import zip_bundle
from preheat.interface.manifest import MANIFEST
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat_providers.aws_lambda.artifact import weight_items
from preheat_providers.aws_lambda.options import SCHEMA, read_options
from preheat_providers.aws_lambda.shipped.settings import Settings
from preheat_providers.aws_lambda.target import layouts_of, target_of

HERE = Path(__file__).parent
Unpack = Callable[[Path], Unpacked]
Zoo = Callable[[str], Unpacked]
Start = Callable[..., Emulator]


@pytest.fixture(scope="session")
def unpack(tmp_path_factory: pytest.TempPathFactory) -> Unpack:
    """Build a project for this machine's Python and unpack its archives, which an Emulator cannot write."""
    home = tmp_path_factory.mktemp("lambda-home")

    def make(project_folder: Path) -> Unpacked:
        root = Path(shutil.copytree(project_folder, home / "projects" / project_folder.name))
        project = load_project(root, "dev", provider_schemas={"aws_lambda": SCHEMA})
        options = read_options(project.provider.get("aws_lambda", {}))
        target = replace(target_of(project, options), python=PYTHON, platform=native_platform())
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PREHEAT_HOME", str(home))
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            bundle = build(project, target, report=quiet)
        place = home / "unpacked" / project_folder.name
        from_s3 = options.weights == "s3"
        items = weight_items(bundle.layer("weights"), "preheat/zoo/dev/") if from_s3 else ()
        for name, layout in layouts_of(bundle, options, items).items():
            archive = zip_bundle(bundle, layout, cache=Cache(home / "cache"), report=quiet)
            zipfile.ZipFile(archive.path).extractall(place / ("task" if name == "function" else "opt"))
        return Unpacked(place / "task", place / "opt")

    return make


@pytest.fixture(scope="session")
def zoo(unpack: Unpack, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Return the package of the zoo with another of its handlers."""
    unpacked = unpack(HERE / "zoo")
    folder = tmp_path_factory.mktemp("zoo")

    def package(handler: str) -> Unpacked:
        task = folder / handler
        if not task.exists():
            shutil.copytree(unpacked.task, task)
            manifest = json.loads((task / MANIFEST).read_text())
            (task / MANIFEST).write_text(json.dumps(manifest | {"handler": f"zoo:{handler}"}))
        return Unpacked(task, unpacked.opt)

    return package


@pytest.fixture(scope="session")
def bare() -> Path:
    """A Python that has Lambda's runtime client and nothing else."""
    return python_with(CLIENT)


@pytest.fixture(scope="session")
def managed() -> Path:
    """A Python with the AWS SDK, as Lambda's own has it."""
    return python_with(CLIENT, "boto3>=1.36")


@pytest.fixture
def start(bare: Path) -> Iterator[Start]:
    """Start a function: its package, and what of its settings and surroundings is not usual."""
    running: list[Emulator] = []

    def begin(unpacked: Unpacked, settings: Settings | None = None, **options: Any) -> Emulator:
        settings = settings or Settings(stage="dev")
        env = {**settings.environment(), **options.pop("env", {})}
        options.setdefault("python", bare)
        running.append(Emulator(unpacked, env=env, **options))
        return running[-1].__enter__()

    yield begin
    for emulator in running:
        emulator.__exit__()


@pytest.fixture
def proxy() -> Iterator[RuntimeApi]:
    """What stands before the emulator for a function that is started `behind` it."""
    with runtime_api(free_port()) as proxy:
        proxy.restored.set()
        yield proxy


def behind(proxy: RuntimeApi, python: Path, *variables: str) -> list[str | Path]:
    """Return how to start the runtime with the proxy between it and the emulator.

    `variables` are more arguments of `env`.
    """
    address = f"AWS_LAMBDA_RUNTIME_API=127.0.0.1:{proxy.port}"
    return ["/usr/bin/env", *variables, address, python, "-m", "awslambdaric"]


def snap_started(proxy: RuntimeApi, python: Path, *variables: str) -> list[str | Path]:
    """Return how to start the runtime `behind` the proxy as one of a snapshot."""
    return behind(proxy, python, *variables, "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start")


@pytest.fixture
def hurried(start: Start, proxy: RuntimeApi, bare: Path) -> Start:
    """Start a function that is told to have five seconds, and is ended after ten."""
    proxy.sooner_ms = 5000

    def begin(
        unpacked: Unpacked, settings: Settings | None = None, *, python: Path = bare, **options: Any
    ) -> Emulator:
        bootstrap, api = behind(proxy, python), proxy.upstream
        return start(unpacked, settings, timeout_s=10, bootstrap=bootstrap, runtime_api=api, **options)

    return begin
