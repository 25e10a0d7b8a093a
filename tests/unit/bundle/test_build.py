import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.wheels import make_wheel

from preheat.bundle.apart import VerifyFailed
from preheat.bundle.build import build
from preheat.bundle.digest import read_folder, tree_digest
from preheat.bundle.model import Bundle, Target
from preheat.errors import BundleError, TooLarge
from preheat.progress import Event, Notice, quiet
from preheat.project.model import Project, Weights

Make = Callable[..., Project]
WEIGHTS = (Weights(name="model", source="file:models/model.bin", sha256=None),)


def fill(root: Path) -> None:
    """Add a package, weights and a data file to the project."""
    (root / "models").mkdir()
    (root / "models" / "model.bin").write_bytes(b"weights" * 1000)
    (root / "data.txt").write_text("data\n")


def contents(bundle: Bundle) -> dict[str, bytes]:
    return {
        f"{layer.name}/{path.relative_to(layer.path).as_posix()}": path.read_bytes()
        for layer in bundle.layers
        for path in layer.path.rglob("*")
        if path.is_file()
    }


def test_the_same_input_gives_the_same_bytes_from_any_checkout_home_umask_and_clock(
    make_project: Make,
    target: Target,
    root: Path,
    wheelhouse: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_wheel(wheelhouse, "alpha", files={"alpha/__init__.py": "x = {'a', 'b'}\n", "alpha/tests.py": ""})
    make_wheel(wheelhouse, "beta", files={"beta.py": "y = 1\n"})
    fill(root)
    first = build(make_project(requirements=("beta", "alpha"), weights=WEIGHTS), target, report=quiet)
    other = tmp_path / "elsewhere" / "checkout"
    before = os.umask(0o077)
    try:
        other.mkdir(parents=True)
        for path in sorted(root.rglob("*"), reverse=True):
            if path.is_file() and path.name != "preheat.lock":
                (other / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, other / path.relative_to(root))
                os.utime(other / path.relative_to(root), (1, 1))
        monkeypatch.setenv("PREHEAT_HOME", str(tmp_path / "another-home"))
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another-uv-cache"))
        project = make_project(root=other, requirements=("alpha", "beta"), weights=WEIGHTS)
        second = build(project, target, report=quiet)
    finally:
        os.umask(before)
    assert not second.cached
    assert contents(first) == contents(second)
    assert [layer.digest for layer in first.layers] == [layer.digest for layer in second.layers]
    assert first.digest == second.digest
    for layer in second.layers:
        assert tree_digest(read_folder(layer.path)) == layer.digest
        assert layer.bytes == sum(path.stat().st_size for path in layer.path.rglob("*") if path.is_file())
    assert second.unzipped_bytes == sum(size.bytes for size in second.sizes)


def test_the_contract_comes_from_running_the_examples(make_project: Make, target: Target) -> None:
    bundle = build(make_project(), target, report=quiet)
    assert bundle.contract is not None
    assert bundle.contract["examples"] == ["ab"]
    assert bundle.contract["answers"] == ["AB"]
    assert (bundle.path / "contract.json").is_file()


def test_an_unchanged_project_starts_no_process_and_reports_nothing(
    make_project: Make, target: Target, root: Path, wheelhouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(wheelhouse, "alpha")
    project = make_project(requirements=("alpha",))
    first = build(project, target, report=quiet)
    wait_for_the_clock(root)
    build(project, target, report=quiet)
    monkeypatch.setenv("PATH", "")
    events: list[Event] = []
    again = build(project, target, report=events.append)
    assert events == []
    assert again.cached
    assert replace(again, cached=False) == first


def wait_for_the_clock(root: Path) -> None:
    """Return once the files of `root` are older than the step of the file system's clock."""
    probe = root.parent / "clock"
    probe.touch()
    newest = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns < newest + 100_000_000:
        os.utime(probe)


def test_a_code_change_leaves_the_other_layers_alone(
    make_project: Make, target: Target, root: Path, wheelhouse: Path
) -> None:
    make_wheel(wheelhouse, "alpha")
    fill(root)
    project = make_project(requirements=("alpha",), weights=WEIGHTS)
    first = build(project, target, report=quiet)
    (root / "handler.py").write_text((root / "handler.py").read_text().replace("upper", "title"))
    second = build(project, target, report=quiet)
    assert second.layer("dependencies") == first.layer("dependencies")
    assert second.layer("weights") == first.layer("weights")
    assert second.layer("code").digest != first.layer("code").digest
    assert second.contract is not None
    assert second.contract["answers"] == ["Ab"]


def test_a_renamed_module_changes_the_bundle(make_project: Make, target: Target, root: Path) -> None:
    (root / "one.py").write_text("x = 1\n")
    first = build(make_project(), target, report=quiet)
    (root / "one.py").rename(root / "two.py")
    assert build(make_project(), target, report=quiet).digest != first.digest


def test_a_bundle_over_the_limit_is_refused_before_anything_runs(
    make_project: Make, target: Target, root: Path, home: Path
) -> None:
    (root / "handler.py").write_text("raise SystemExit\n")
    with pytest.raises(TooLarge, match=r"local takes 0\.0 MB"):
        build(make_project(), replace(target, unzipped_limit=1000), report=quiet)
    assert not (home / "cache" / "layers").exists()


def test_a_failing_handler_leaves_no_record(
    make_project: Make, target: Target, root: Path, home: Path
) -> None:
    (root / "handler.py").write_text("import nothing_like_this\n")
    for _ in range(2):
        with pytest.raises(VerifyFailed, match="nothing_like_this"):
            build(make_project(), target, report=quiet)
    assert not (home / "cache" / "bundles").exists()


def test_without_an_interpreter_of_the_version_it_is_said(make_project: Make, target: Target) -> None:
    events: list[Event] = []
    bundle = build(make_project(), replace(target, python="3.99", requirements=()), report=events.append)
    notices = [event for event in events if isinstance(event, Notice)]
    assert [notice.hint for notice in notices] == ["uv python install 3.99"]
    assert "without byte-code" in notices[0].text
    assert bundle.contract is None
    assert not list(bundle.layer("code").path.rglob("*.pyc"))


def test_for_another_machine_nothing_is_run(make_project: Make, target: Target, root: Path) -> None:
    (root / "handler.py").write_text("raise SystemExit\n")
    bundle = build(
        make_project(), replace(target, platform="riscv64-manylinux_2_39", requirements=()), report=quiet
    )
    assert bundle.contract is None
    assert list(bundle.layer("code").path.rglob("handler.*.pyc"))


NUMPY = {
    "numpy/__init__.py": "",
    "numpy/tests/__init__.py": "",
    "numpy/tests/needed.py": "VALUE = 'from tests'\n",
}


def test_what_trimming_should_not_have_removed_comes_back_and_is_said(
    make_project: Make, target: Target, root: Path, wheelhouse: Path
) -> None:
    make_wheel(wheelhouse, "numpy", files=NUMPY)
    (root / "handler.py").write_text("import numpy.tests.needed\n" + (root / "handler.py").read_text())
    events: list[Event] = []
    bundle = build(make_project(requirements=("numpy",)), target, report=events.append)
    assert (bundle.layer("dependencies").path / "numpy" / "tests" / "needed.py").is_file()
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert "tests of numpy" in notice.text
    assert "numpy.tests" in notice.text


def test_a_handler_that_also_fails_untrimmed_shows_its_own_failure(
    make_project: Make, target: Target, root: Path, wheelhouse: Path
) -> None:
    make_wheel(wheelhouse, "numpy", files=NUMPY)
    (root / "handler.py").write_text("import numpy.nothing\n")
    with pytest.raises(VerifyFailed, match=r"numpy\.nothing"):
        build(make_project(requirements=("numpy",)), target, report=quiet)


def test_builds_side_by_side_in_one_home_agree(
    make_project: Make, target: Target, root: Path, wheelhouse: Path, home: Path
) -> None:
    make_wheel(wheelhouse, "alpha")
    fill(root)
    project = make_project(requirements=("alpha",), weights=WEIGHTS)
    with ThreadPoolExecutor(4) as pool:
        bundles = list(pool.map(lambda _: build(project, target, report=quiet), range(4)))
    assert len({bundle.digest for bundle in bundles}) == 1
    assert list((home / "cache" / "tmp").iterdir()) == []
    for layer in bundles[0].layers:
        assert tree_digest(read_folder(layer.path)) == layer.digest


def test_a_layer_that_was_removed_is_built_again(make_project: Make, target: Target, root: Path) -> None:
    first = build(make_project(), target, report=quiet)
    shutil.rmtree(first.layer("code").path)
    second = build(make_project(), target, report=quiet)
    assert second.layer("code").path.is_dir()
    assert second.digest == first.digest


FULL = """
import sys
from pathlib import Path
from preheat.bundle.build import build
from preheat.bundle.model import Target
from preheat.errors import BundleError
from preheat.progress import quiet
from preheat.project.model import Project, Weights

project = Project(root=Path(sys.argv[1]), stage="dev", name="demo", handler="handler:Model",
                  weights=(Weights(name="model", source="file:models/model.bin", sha256=None),))
try:
    build(project, Target(provider="local", platform="linux", python="3.99"), report=quiet)
except BundleError as error:
    print(error.message, "|", error.hint)
"""


def test_a_full_disk_is_said_and_leaves_nothing_half_done(make_project: Make, root: Path, home: Path) -> None:
    fill(root)
    make_project()

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    answer = subprocess.run(
        [sys.executable, "-c", FULL, root], preexec_fn=full, capture_output=True, text=True, check=True
    )
    assert "no room left" in answer.stdout
    assert "PREHEAT_HOME" in answer.stdout
    assert [path for path in home.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_a_file_that_cannot_be_read_is_not_called_a_full_disk(make_project: Make, target: Target) -> None:
    missing = (Weights(name="model", source="file:models/none.bin", sha256=None),)
    with pytest.raises(BundleError, match=r"There is no file .*none\.bin"):
        build(make_project(weights=missing), target, report=quiet)
