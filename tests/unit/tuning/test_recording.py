"""Which of the recorded sessions count."""

from typing import Any

import pytest

from preheat.errors import TuningError
from preheat.tuning.recording import Recording, require_real_inputs, select

CALL = {"file": "call.npz", "names": ["x"], "outputs": None}


def session(weights: str | None, *calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"path": "/w/m.onnx", "asked": "handler.py:3", "by_loader": False, "providers": ["CPU"]}
    return {"weights": weights, "calls": list(calls), "varied": False, **known, **more}


def recording(*, varied: bool) -> Recording:
    return select([session("model", CALL, varied=varied)], "model", handler="h:M", examples=1)


def test_the_calls_of_every_session_of_the_weights_count() -> None:
    found = select(
        [session("model", CALL), session("other", CALL), session("model", CALL, CALL)],
        "model",
        handler="h:M",
        examples=1,
    )
    assert (len(found.calls), found.asked, found.by_loader) == (3, "handler.py:3", False)


def test_one_session_with_inputs_that_vary_is_enough() -> None:
    sessions = [session("model", CALL), session("model", CALL, varied=True), session("other", varied=False)]
    assert select(sessions, "model", handler="h:M", examples=1).varied
    assert not recording(varied=False).varied


@pytest.mark.parametrize(
    ("sessions", "examples", "reason"),
    [
        ([], 1, "makes no session of onnxruntime"),
        (
            [session("other", CALL), session(None, CALL)],
            1,
            "none of them of weights.model but of /w/m.onnx, other",
        ),
        ([session("model")], 0, "has no examples()"),
        ([session("model")], 2, "never runs the session of model in its examples"),
    ],
)
def test_without_a_real_input_there_is_nothing_to_measure(
    sessions: list[dict[str, Any]], examples: int, reason: str
) -> None:
    with pytest.raises(TuningError, match="h:M") as raised:
        select(sessions, "model", handler="h:M", examples=examples)
    assert reason in raised.value.message
    assert raised.value.hint


def test_accuracy_is_not_judged_by_inputs_of_one_value() -> None:
    require_real_inputs(recording(varied=True), "model", handler="preheat_handlers.onnx:OnnxHandler")
    with pytest.raises(TuningError, match="OnnxHandler feed model one value throughout") as raised:
        require_real_inputs(recording(varied=False), "model", handler="preheat_handlers.onnx:OnnxHandler")
    compile(str(raised.value.hint), "handler.py", "exec")
    assert 'return [{"x": numpy.load(HERE / "x.npy")}]' in str(raised.value.hint)
    with pytest.raises(TuningError) as raised:
        require_real_inputs(recording(varied=False), "model", handler="h:M")
    assert str(raised.value.hint).startswith("def examples(self) -> list[Query]:")
