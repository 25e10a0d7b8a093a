"""One session, timed."""

from pathlib import Path
from typing import Any

import numpy as np
from tests.fakes.perceptrons import write_mlp

from preheat.tuning.trial.measure import run
from preheat.tuning.variants import Settings


def measured(tmp_path: Path, settings: Settings, outputs: Path | None = None) -> dict[str, Any]:
    model = write_mlp(tmp_path / "model.onnx")
    np.savez(tmp_path / "call.npz", array0=np.ones((2, 32), np.float32))
    call = {"file": str(tmp_path / "call.npz"), "names": ["x"], "outputs": ["y"]}
    return run(
        {
            "model": str(model),
            "options": settings.document()["options"],
            "entries": settings.document()["entries"],
            "threads": 1,
            "calls": [call, call],
            "seconds": 0.0,
            "outputs": None if outputs is None else str(outputs),
        }
    )


def test_every_setting_is_one_that_onnxruntime_has(tmp_path: Path) -> None:
    settings = Settings(level="basic", packing=False, spinning=False, arena=False, threads=1)
    found = measured(tmp_path, settings)
    assert set(found) == {"load_ms", "first_ms", "steady_ms", "rss_bytes"}
    assert all(value > 0 for value in found.values())


def test_the_answers_of_each_call_are_kept(tmp_path: Path) -> None:
    measured(tmp_path, Settings(), tmp_path / "answers.npz")
    with np.load(tmp_path / "answers.npz") as answers:
        assert answers.files == ["call0-0", "call1-0"]
        assert answers["call0-0"].shape == (2, 8)
