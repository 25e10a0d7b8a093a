"""A project to the archive that Lambda unpacks: the same bytes from any folder, everything in its place."""

import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.fakes.projects import write_project
from tests.fakes.wheels import installed_wheel

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import native_platform
from preheat.bundle.model import Bundle
from preheat.bundle.shipped import REQUIREMENTS
from preheat.bundle.zip.archive import Archive, Layout, zip_bundle
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat_providers.aws_lambda.artifact import Stored, store_archive
from preheat_providers.aws_lambda.options import SCHEMA, Options, read_options
from preheat_providers.aws_lambda.settings import DEPENDENCIES, WEIGHTS
from preheat_providers.aws_lambda.target import layouts_of, packed_layers, target_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "team-artifacts"
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


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, toml: str = "") -> Archive:
    """Build and pack everything into one archive."""
    bundle, options = bundled(folder, monkeypatch, toml)
    layout = Layout(layers=packed_layers(options))
    return zip_bundle(bundle, layout, cache=Cache(folder / "home" / "cache"), report=quiet)


@pytest.mark.usefixtures("umask")
def test_two_machines_make_the_same_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = package(tmp_path / "a", monkeypatch)
    os.umask(0o002)
    second = package(tmp_path / "b", monkeypatch)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == second.digest


def test_what_lambda_unpacks_is_imported_from_a_folder_that_nobody_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tmp_path / "task"
    with zipfile.ZipFile(package(tmp_path / "a", monkeypatch).path) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        archive.extractall(task)
    assert set(modes.values()) <= {stat.S_IFREG | 0o644, stat.S_IFREG | 0o755}
    assert (task / WEIGHTS / "model/model.bin").read_bytes() == b"weights" * 1000
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; sys.dont_write_bytecode = True\n"
        "import preheat_providers.aws_lambda.entry as entry, handler, orjson\n"
        "print(entry.__file__, entry.__cached__, orjson.__file__, sep='\\n')"
    )
    python = Path(sys.base_prefix) / "bin" / f"python{PYTHON}"
    command: list[str | Path] = [python, "-I", "-S", "-c", code, task, task / DEPENDENCIES]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    entry, cached, orjson = done.stdout.split()
    assert entry == str(task / "preheat_providers/aws_lambda/entry.py")
    assert Path(cached).is_file()
    assert orjson.startswith(str(task / DEPENDENCIES))


def test_a_change_of_code_leaves_the_rest_of_the_archive_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = package(tmp_path / "a", monkeypatch)
    kept = contents(before.path)
    after = package(tmp_path / "a", monkeypatch, '[env]\nMODE = "x"\n')
    assert (after.digest, after.cached) == (before.digest, True)
    write_project(tmp_path / "a" / "project", TOML)
    (tmp_path / "a" / "project" / "extra.py").write_text("x = 1\n")
    changed = package(tmp_path / "a", monkeypatch)
    assert changed.digest != before.digest
    assert {name for name, data in contents(changed.path).items() if kept.get(name) != data} == {
        "extra.py",
        f"__pycache__/extra.cpython-{PYTHON.replace('.', '')}.pyc",
    }


def test_weights_from_s3_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = package(tmp_path / "a", monkeypatch, '[provider.aws_lambda]\nweights = "s3"\n')
    names = set(contents(made.path))
    assert "preheat_providers/aws_lambda/weights/fetch.py" in names
    assert not [name for name in names if name.startswith(f"{WEIGHTS}/")]


def test_after_a_change_of_code_only_the_users_code_is_sent(
    s3: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deploy() -> dict[str, Stored]:
        bundle, options = bundled(tmp_path / "a", monkeypatch)
        cache = Cache(tmp_path / "a" / "home" / "cache")
        return {
            name: store_archive(
                s3, zip_bundle(bundle, layout, cache=cache, report=quiet), bucket=BUCKET, report=quiet
            )
            for name, layout in layouts_of(options, {}).items()
        }

    assert all(stored.sent for stored in deploy().values())
    (tmp_path / "a" / "project" / "extra.py").write_text("x = 1\n")
    again = deploy()
    assert [name for name, stored in again.items() if stored.sent] == ["function"]
    assert again["function"].bytes < 200_000


def test_the_archives_hold_together_what_the_one_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, options = bundled(tmp_path / "a", monkeypatch)
    cache = Cache(tmp_path / "a" / "home" / "cache")
    whole = contents(
        zip_bundle(bundle, Layout(layers=packed_layers(options)), cache=cache, report=quiet).path
    )
    together: dict[str, bytes] = {}
    for layout in layouts_of(options, {}).values():
        found = contents(zip_bundle(bundle, layout, cache=cache, report=quiet).path)
        together |= {name.removeprefix("python/"): data for name, data in found.items()}
    assert together == whole


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
