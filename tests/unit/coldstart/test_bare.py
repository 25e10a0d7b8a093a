import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.fake_onnxruntime import lay_onnxruntime
from tests.fakes.patience import PATIENCE_S

from preheat.coldstart.starting import BARE


def run(place: Path, models: list[Path], **asked: Any) -> dict[str, float]:
    """Run the reference and return what it tells."""
    usual = {"path": [str(place)], "threads": 1, "make": None}
    document = usual | asked | {"models": [str(model) for model in models]}
    command = [sys.executable, "-I", "-S", "-B", str(BARE), "1"]
    done = subprocess.run(
        command, input=json.dumps(document).encode(), capture_output=True, timeout=PATIENCE_S, check=True
    )
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


@pytest.fixture
def place(tmp_path: Path) -> Path:
    lay_onnxruntime(tmp_path)
    return tmp_path


def test_without_models_nothing_is_imported(tmp_path: Path) -> None:
    told = run(tmp_path, [])  # where there is no onnxruntime
    assert set(told) == {"import_ms", "session_ms"}


def test_a_session_is_opened_of_each_model(place: Path) -> None:
    (place / "one.onnx").write_bytes(b"1")
    run(place, [place / "one.onnx"])
    with pytest.raises(subprocess.CalledProcessError, match="exit status 1"):
        run(place, [place / "one.onnx", place / "missing.onnx"])


def test_optimised_models_are_written_apart_from_each_other(place: Path) -> None:
    for name in ("one", "two"):
        (place / f"{name}.onnx").write_text(name)
    run(place, [place / "one.onnx", place / "two.onnx"], make=str(place / "made"))
    assert [(place / "made" / number / "model.onnx").read_text() for number in "01"] == ["one", "two"]
