"""The packages that trials run with."""

from pathlib import Path

import pytest
from tests.fakes.wheels import make_wheel

from preheat.bundle.cache import Cache
from preheat.bundle.lock import Pin
from preheat.bundle.model import Target
from preheat.bundle.uv import Uv
from preheat.errors import TuningError
from preheat.tuning.environment import extras, make_environment

PINS = (Pin("onnxruntime==1.0", ()), Pin("numpy==2.0", ()))


@pytest.fixture
def uv(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    """Sees a folder of wheels alone, among them newer ones than the project has."""
    wheels = tmp_path / "wheels"
    for name, version in (("onnxruntime", "1.0"), ("onnxruntime", "2.0"), ("numpy", "2.0"), ("numpy", "3.0")):
        make_wheel(wheels, name, version)
    make_wheel(wheels, "onnx", "1.20", requires=["numpy>=2"])
    settings = tmp_path / "uv.toml"
    settings.write_text(f'no-index = true\nfind-links = ["{wheels}"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return Uv(root)


def test_what_is_asked_for_decides_on_the_packages() -> None:
    assert extras((), fuse=False) == ("onnx>=1.16",)
    assert "onnx-ir" in extras(("int4",), fuse=False)
    assert any(line.startswith("onnxslim") for line in extras((), fuse=True))


def test_the_projects_own_versions_stay_and_its_lock_too(
    uv: Uv, root: Path, target: Target, cache: Cache
) -> None:
    folder = make_environment(PINS, extras((), fuse=False), target, uv=uv, cache=cache)
    versions = {
        name: (folder / name / "__init__.py").read_text() for name in ("onnxruntime", "numpy", "onnx")
    }
    assert [versions[name] for name in ("onnxruntime", "numpy")] == ["VERSION = '1.0'\n", "VERSION = '2.0'\n"]
    assert versions["onnx"] == "VERSION = '1.20'\n"
    assert not (root / "preheat.lock").exists()


def test_a_package_that_does_not_go_with_the_projects_is_told(
    uv: Uv, target: Target, cache: Cache, tmp_path: Path
) -> None:
    make_wheel(tmp_path / "wheels", "onnxslim", "1.0", requires=["numpy>=3"])
    with pytest.raises(TuningError, match="cannot be had beside the packages of the project"):
        make_environment(PINS, extras((), fuse=True), target, uv=uv, cache=cache)


def test_a_project_without_onnxruntime_is_told(uv: Uv, target: Target, cache: Cache) -> None:
    with pytest.raises(TuningError, match="does not require onnxruntime") as raised:
        make_environment(PINS[1:], (), target, uv=uv, cache=cache)
    assert "onnxruntime>=" in (raised.value.hint or "")
