"""A project to the archive that Lambda unpacks: the same bytes from any folder, everything in its place."""

import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.fakes.lambda_emulator import Unpacked
from tests.fakes.projects import write_project
from tests.fakes.sealed import sealed
from tests.fakes.wheels import installed_wheel

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import native_platform
from preheat.bundle.model import Bundle
from preheat.bundle.shipped import REQUIREMENTS
from preheat.bundle.zip.archive import Archive, zip_bundle
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat_providers._aws.storing import Stored
from preheat_providers.aws_lambda.artifact import archive_key, store_archive
from preheat_providers.aws_lambda.options import SCHEMA, Options, read_options
from preheat_providers.aws_lambda.shipped.settings import CONTRACT, WEIGHTS
from preheat_providers.aws_lambda.target import ArchiveName, layouts_of, target_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "team-artifacts"
FOLDER = "preheat/demo/dev/"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TOML = """
[weights.model]
source = "file:model.bin"
"""


@pytest.fixture(autouse=True)
def _wheels_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the wheel that every bundle needs; uv sees no index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    installed_wheel(folder, "orjson")
    settings = tmp_path / "uv.toml"
    settings.write_text(f'no-index = true\nfind-links = ["{folder}"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def bundled(folder: Path, monkeypatch: pytest.MonkeyPatch, toml: str = "") -> tuple[Bundle, Options]:
    """Build a project in `folder`, with a home of its own, for a Lambda that runs this machine's Python."""
    monkeypatch.setenv("PREHEAT_HOME", str(folder / "home"))
    root = write_project(folder / "project", TOML + toml)
    (root / "model.bin").write_bytes(b"weights" * 1000)
    project = load_project(root, "dev", provider_schemas={"aws_lambda": SCHEMA})
    options = read_options(project.provider.get("aws_lambda", {}))
    target = target_of(project, options)
    here = replace(target, python=PYTHON, platform=native_platform(), requirements=REQUIREMENTS)
    return build(project, here, report=quiet), options


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, toml: str = "") -> Mapping[ArchiveName, Archive]:
    """Build and pack."""
    bundle, options = bundled(folder, monkeypatch, toml)
    cache = Cache(folder / "home" / "cache")
    layouts = layouts_of(bundle, options)
    return {name: zip_bundle(bundle, layout, cache=cache, report=quiet) for name, layout in layouts.items()}


@pytest.mark.usefixtures("umask")
def test_two_machines_make_the_same_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = package(tmp_path / "a", monkeypatch)
    os.umask(0o002)
    second = package(tmp_path / "b", monkeypatch)
    assert list(first) == list(second) == ["function", "libraries", "weights"]
    for name, archive in first.items():
        assert archive.path.read_bytes() == second[name].path.read_bytes()
        assert archive.digest == second[name].digest


def test_what_lambda_unpacks_is_imported_from_folders_that_nobody_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Unpacked(tmp_path / "task", tmp_path / "opt")
    for name, archive in package(tmp_path / "a", monkeypatch).items():
        with zipfile.ZipFile(archive.path) as file:
            modes = {info.external_attr >> 16 for info in file.infolist()}
            file.extractall(made.task if name == "function" else made.opt)
        assert modes <= {stat.S_IFREG | 0o644, stat.S_IFREG | 0o755}
    code = (
        "import os, sys; sys.path[:0] = sys.argv[1:]\n"
        "import preheat_providers.aws_lambda.shipped.start as start, handler, orjson\n"
        "print(start.__file__, start.__cached__, orjson.__file__)\n"
        "print(handler.__cached__, start.LAYERS)\n"
        "print(*(os.access(folder, os.W_OK) for folder in (sys.argv[1], start.LAYERS)))"
    )
    python = Path(sys.base_prefix) / "bin" / f"python{PYTHON}"
    command: list[str | Path] = [*sealed([made.task, made.opt]), python, "-I", "-S", "-c", code, *made.path]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    *found, task_is_writable, opt_is_writable = done.stdout.split()
    assert (task_is_writable, opt_is_writable) == ("False", "False")
    start, start_code, orjson, handler_code, layers = map(Path, found)
    assert start == made.opt / "python/preheat_providers/aws_lambda/shipped/start.py"
    assert orjson.is_relative_to(made.opt / "python")
    assert start_code.is_file()
    assert handler_code.is_file()
    assert handler_code.is_relative_to(made.task)
    assert (layers / WEIGHTS / "model/model.bin").read_bytes() == b"weights" * 1000


def test_a_change_of_code_leaves_the_other_archives_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = package(tmp_path / "a", monkeypatch)
    kept = contents(before["function"].path)
    after = package(tmp_path / "a", monkeypatch, '[env]\nMODE = "x"\n')
    assert {name: (made.digest, made.cached) for name, made in after.items()} == {
        name: (made.digest, True) for name, made in before.items()
    }
    write_project(tmp_path / "a" / "project", TOML)
    (tmp_path / "a" / "project" / "extra.py").write_text("x = 1\n")
    changed = package(tmp_path / "a", monkeypatch)
    assert [name for name, made in changed.items() if made.digest != before[name].digest] == ["function"]
    found = contents(changed["function"].path)
    assert {name for name, data in found.items() if kept.get(name) != data} == {
        "extra.py",
        f"__pycache__/extra.cpython-{PYTHON.replace('.', '')}.pyc",
    }


def test_weights_from_s3_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = package(tmp_path / "a", monkeypatch, '[provider.aws_lambda]\nweights = "s3"\n')
    names = {name for archive in made.values() for name in contents(archive.path)}
    assert "python/preheat_providers/aws_lambda/shipped/weights/fetch.py" in names
    assert not [name for name in names if name.startswith(f"{WEIGHTS}/")]


def test_after_a_change_of_code_only_the_users_code_is_sent(
    s3: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deploy() -> dict[str, Stored]:
        return {
            name: store_archive(
                s3, archive, bucket=BUCKET, key=archive_key(FOLDER, archive.digest), report=quiet
            )
            for name, archive in package(tmp_path / "a", monkeypatch).items()
        }

    assert all(stored.sent for stored in deploy().values())
    (tmp_path / "a" / "project" / "extra.py").write_text("x = 1\n")
    again = deploy()
    assert [name for name, stored in again.items() if stored.sent] == ["function"]
    assert again["function"].bytes < 200_000


def test_the_archives_hold_together_every_layer_of_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, options = bundled(tmp_path / "a", monkeypatch)
    cache = Cache(tmp_path / "a" / "home" / "cache")
    packed: dict[str, bytes] = {}
    for layout in layouts_of(bundle, options).values():
        packed |= contents(zip_bundle(bundle, layout, cache=cache, report=quiet).path)
    for layer in bundle.layers:
        for path in filter(Path.is_file, layer.path.rglob("*")):
            name = path.relative_to(layer.path).as_posix()
            places = {name, f"python/{name}", f"{WEIGHTS}/{name}"} & packed.keys()
            assert [packed.pop(place) for place in places] == [path.read_bytes()], name
    assert packed.keys() == {CONTRACT}


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
