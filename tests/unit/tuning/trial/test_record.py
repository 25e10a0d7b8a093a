"""What is kept of the sessions that a handler makes."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument
from tests.fakes.perceptrons import write_mlp

from preheat.tuning.trial.record import MOST_CALLS, Recorder, recording

X = np.ones((1, 32), np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_mlp(tmp_path / "weights" / "model" / "m.onnx")


@pytest.fixture
def recorder(tmp_path: Path, model: Path) -> Recorder:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    weights = {"other": str(tmp_path / "weights" / "other"), "model": str(model)}
    (tmp_path / "calls").mkdir()
    return Recorder(str(tmp_path / "calls"), weights, str(Path(__file__).parent), digest)


@pytest.fixture
def session_class(recorder: Recorder) -> Any:
    return recording(onnxruntime.InferenceSession, recorder)


def test_a_session_answers_as_ever_and_its_inputs_are_kept(
    recorder: Recorder, session_class: Any, model: Path
) -> None:
    session = session_class(str(model), providers=["CPUExecutionProvider"])
    plain = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    assert session.run(["y"], {"x": X})[0].tobytes() == plain.run(["y"], {"x": X})[0].tobytes()
    (kept,) = recorder.sessions
    (call,) = kept["calls"]
    assert (kept["weights"], kept["by_loader"]) == ("model", False)
    assert (call["names"], call["outputs"]) == (["x"], ["y"])
    with np.load(call["file"]) as arrays:
        assert arrays["array0"].tobytes() == X.tobytes()


def test_who_asked_is_the_users_own_line(recorder: Recorder, session_class: Any, model: Path) -> None:
    session_class(model, providers=["CPUExecutionProvider"])
    name, _, line = recorder.sessions[0]["asked"].partition(":")
    assert "session_class(model" in (Path(__file__).parent / name).read_text().splitlines()[int(line) - 1]


def test_a_model_given_as_bytes_is_known_by_its_digest(
    recorder: Recorder, session_class: Any, model: Path
) -> None:
    session_class(model.read_bytes(), providers=["CPUExecutionProvider"])
    assert recorder.sessions[0]["weights"] == "model"


def test_a_model_that_is_no_weights_belongs_to_none(
    recorder: Recorder, session_class: Any, tmp_path: Path
) -> None:
    session_class(str(write_mlp(tmp_path / "elsewhere.onnx")), providers=["CPUExecutionProvider"])
    assert recorder.sessions[0]["weights"] is None


def test_a_file_in_a_folder_of_weights_belongs_to_the_folder(tmp_path: Path, model: Path) -> None:
    recorder = Recorder(str(tmp_path), {"model": str(model.parent)}, str(tmp_path), "")
    recording(onnxruntime.InferenceSession, recorder)(str(model), providers=["CPUExecutionProvider"])
    assert recorder.sessions[0]["weights"] == "model"


def test_the_first_calls_are_kept_and_later_ones_still_answered(
    recorder: Recorder, session_class: Any, model: Path
) -> None:
    session = session_class(str(model), providers=["CPUExecutionProvider"])
    for _ in range(MOST_CALLS + 1):
        assert len(session.run(None, {"x": X})) == 1
    assert len(recorder.sessions[0]["calls"]) == MOST_CALLS


def test_an_input_that_is_changed_afterwards_is_kept_as_it_was(
    recorder: Recorder, session_class: Any, model: Path
) -> None:
    fed = X.copy()
    session_class(str(model), providers=["CPUExecutionProvider"]).run(None, {"x": fed})
    fed[:] = 0
    with np.load(recorder.sessions[0]["calls"][0]["file"]) as arrays:
        assert arrays["array0"].all()


@pytest.mark.parametrize(
    ("fed", "varied"),
    [
        ([np.zeros((1, 32))], False),
        ([np.full((1, 32), 3.0), np.full((2, 32), 3.0)], False),
        ([np.zeros((1, 32)), np.ones((1, 32))], True),
        ([np.eye(1, 32)], True),
    ],
)
def test_inputs_of_one_value_are_told_from_real_ones(
    recorder: Recorder, session_class: Any, model: Path, fed: list[Any], varied: bool
) -> None:
    session = session_class(str(model), providers=["CPUExecutionProvider"])
    for each in fed:
        session.run(None, {"x": each.astype(np.float32)})
    assert recorder.sessions[0]["varied"] is varied


def test_what_the_model_does_not_take_is_no_input(
    recorder: Recorder, session_class: Any, model: Path
) -> None:
    session = session_class(str(model), providers=["CPUExecutionProvider"])
    with pytest.raises(InvalidArgument):
        session.run(None, {"x": X[:, :3]})
    assert recorder.sessions[0]["calls"] == []
