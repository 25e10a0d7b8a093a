import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper
from tests.fakes.onnx_models import linear, ones, tuned, value, written
from tests.fakes.patience import PATIENCE_S

from preheat.errors import HandlerError
from preheat.interface.starting import Start
from preheat_handlers.onnx.session import Session, open_session
from preheat_handlers.onnx.swap import Swap, deviation

SPINNING, UNPACKED = "session.intra_op.allow_spinning", "session.disable_prepacking"


def entry(options: Any, key: str) -> str | None:
    """Return a configuration entry of a session, if it is set."""
    try:
        return str(options.get_session_config_entry(key))
    except RuntimeError:
        return None


def swapped(session: Session, feeds: dict[str, Any], start: Start) -> tuple[bool, list[Any], list[Any]]:
    """Run before and after the first answer of a settled start; say whether another session answers."""
    first, swap = session.onnx, session.swap
    assert swap is not None
    session.start = start
    before = session.run(None, feeds)
    if swap.thread is not None:
        swap.thread.join()
    return session.onnx is not first, before, session.run(None, feeds)


def test_a_model_answers_as_onnxruntime_does(tmp_path: Path) -> None:
    path = linear(tmp_path / "m.onnx")
    expected = onnxruntime.InferenceSession(path).run(None, {"x": ones(3)})
    for place in (path, str(path), tmp_path):
        assert np.array_equal(open_session(place).run(["y"], {"x": ones(3)})[0], expected[0])


def test_threads_are_those_that_the_process_may_use(tmp_path: Path) -> None:
    path = linear(tmp_path / "m.onnx")
    for cpus, threads in ((1.0, 1), (1.9, 1), (3.0, 3)):
        options = open_session(path, cpus=cpus).onnx.get_session_options()
        assert options.intra_op_num_threads == threads
        assert entry(options, SPINNING) == "0"
    assert entry(open_session(path, cpus=8.0).onnx.get_session_options(), SPINNING) is None


@pytest.mark.parametrize("kind", ["plain", "tuned"])
def test_answers_are_the_same_to_the_bit_before_and_after_the_swap(tmp_path: Path, kind: str) -> None:
    place = linear(tmp_path / "m.onnx") if kind == "plain" else tuned(tmp_path / "t")
    session = open_session(place, answer_first=True)
    assert entry(session.onnx.get_session_options(), UNPACKED) == "1"
    taken, before, after = swapped(session, {"x": ones(5)}, Start(settled=True))
    assert taken
    assert before[0].tobytes() == after[0].tobytes()
    assert entry(session.onnx.get_session_options(), UNPACKED) is None


def test_a_session_whose_answers_differ_does_not_take_over_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = open_session(linear(tmp_path / "m.onnx", inner=512, outer=512), answer_first=True)
    taken, before, after = swapped(session, {"x": ones(5, 512)}, Start(settled=True))
    assert not taken
    assert before[0].tobytes() == after[0].tobytes()
    assert "m.onnx: the faster session's answer differs by" in caplog.text
    assert "more than 0; the first one stays" in caplog.text


def test_a_tolerance_lets_one_take_over_that_adds_up_in_another_order(tmp_path: Path) -> None:
    session = open_session(
        linear(tmp_path / "m.onnx", inner=512, outer=512), answer_first=True, tolerance=1e-5
    )
    taken, before, after = swapped(session, {"x": ones(5, 512)}, Start(settled=True))
    assert taken
    assert np.allclose(before[0], after[0], rtol=0, atol=1e-5 * np.abs(before[0]).max())


def test_nothing_takes_over_before_the_process_serves(tmp_path: Path) -> None:
    """A thread would not survive the fork, and make forking unsafe."""
    session = open_session(tuned(tmp_path / "t"))
    start = Start()
    assert not swapped(session, {"x": ones(2)}, start)[0]
    start.settled = True
    assert swapped(session, {"x": ones(2)}, start)[0]


def test_of_several_first_answers_one_makes_the_next_session(tmp_path: Path) -> None:
    made: list[int] = []
    session = open_session(linear(tmp_path / "m.onnx"))

    def create() -> Any:
        made.append(1)
        return session.onnx

    swap, feeds = Swap("m", create, 0.0), {"x": ones(2)}
    answer = session.run(None, feeds)
    swap.begin(session, None, feeds, answer)
    first = swap.thread
    swap.begin(session, None, feeds, answer)
    assert swap.thread is first
    assert first is not None
    first.join()
    assert len(made) == 1


def test_a_caller_may_change_its_arrays_as_soon_as_it_has_its_answer(tmp_path: Path) -> None:
    session, changed = open_session(linear(tmp_path / "m.onnx")), threading.Event()
    first, following = session.onnx, open_session(tmp_path / "m.onnx").onnx

    def create() -> Any:
        assert changed.wait(PATIENCE_S)
        return following

    session.swap, session.start = Swap("m", create, 0.0), Start(settled=True)
    swap, feeds = session.swap, {"x": ones(2)}
    (answer,) = session.run(None, feeds)
    feeds["x"][:] = answer[:] = 0.0
    changed.set()
    assert swap.thread is not None
    swap.thread.join()
    assert session.onnx is following is not first


def test_a_next_session_that_cannot_be_made_leaves_the_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = open_session(tuned(tmp_path / "t"))
    (tmp_path / "t" / "model.onnx").unlink()
    taken, before, after = swapped(session, {"x": ones(2)}, Start(settled=True))
    assert not taken
    assert np.array_equal(before[0], after[0])
    assert "cannot be made; the first one stays" in caplog.text


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"runtime": {"name": "onnxruntime", "version": "1.0.0"}},
        {"cpu": {"machine": "riscv64", "features": []}},
    ],
)
def test_elsewhere_a_tuned_model_loads_by_its_safe_options_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, elsewhere: dict[str, Any]
) -> None:
    session = open_session(tuned(tmp_path / "t", **elsewhere))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "It loads by its safe options" in record.getMessage()
    assert session.swap is None
    level = session.onnx.get_session_options().graph_optimization_level
    assert level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


def test_a_manifest_sets_options_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    recipe = {
        "options": {"execution_mode": "parallel", "enable_mem_pattern": False, "inter_op_num_threads": 2}
    }
    options = open_session(tuned(tmp_path / "t", load=recipe)).onnx.get_session_options()
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_PARALLEL
    assert not options.enable_mem_pattern
    with pytest.raises(HandlerError, match=r"tuned\.json sets 'warp', which onnxruntime .* does not have"):
        open_session(tuned(tmp_path / "u", load={"options": {"warp": 9}}))


def test_a_model_that_does_not_load_says_why(tmp_path: Path) -> None:
    path = linear(tmp_path / "m.onnx", data="m.data")
    (tmp_path / "m.data").write_bytes(b"short")
    with pytest.raises(
        HandlerError, match=r"keeps its weights in m\.data, which has 5 bytes and needs 16384"
    ):
        open_session(path)
    (tmp_path / "m.data").unlink()
    with pytest.raises(HandlerError, match=r"in m\.data, which is not there"):
        open_session(path)
    nodes = [helper.make_node("Tokenise", ["x"], ["y"], domain="acme.text")]
    own = written(tmp_path / "o.onnx", nodes, [value("x", [1])], [value("y", [1])], domains={"acme.text": 1})
    with pytest.raises(HandlerError, match=r"the operator Tokenise of 'acme\.text'"):
        open_session(own)
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    new = written(tmp_path / "n.onnx", nodes, [value("x", [1])], [value("y", [1])], opset=99)
    with pytest.raises(HandlerError, match=r"has opset 99, and this onnxruntime reads up to \d+"):
        open_session(new)
    nodes = [helper.make_node("NoSuch", ["x"], ["y"])]
    unknown = written(tmp_path / "w.onnx", nodes, [value("x", [1])], [value("y", [1])])
    with pytest.raises(HandlerError, match=r"w\.onnx does not load: .*NoSuch"):
        open_session(unknown)


def test_a_folder_without_one_model_says_what_it_has(tmp_path: Path) -> None:
    linear(tmp_path / "a.onnx")
    linear(tmp_path / "b.onnx")
    with pytest.raises(HandlerError, match=r"should have one \.onnx file; it has a\.onnx, b\.onnx"):
        open_session(tmp_path)


def test_how_far_answers_are_apart() -> None:
    one = np.array([1.0, -4.0], np.float32)
    assert deviation([one], [one.copy()]) == 0.0
    assert deviation([one], [one + np.float32(0.5)]) == pytest.approx(0.125)
    assert deviation([np.array([0.0])], [np.array([-0.0])]) > 0.0
    infinite = float("inf")
    assert deviation([one], [one.astype(np.float64)]) == infinite
    assert deviation([one], [one[:1]]) == infinite
    assert deviation([np.array([1])], [np.array([2])]) == infinite
    assert deviation([np.array([np.nan])], [np.array([1.0])]) == infinite
    assert deviation([np.array(["a"], object)], [np.array(["b"], object)]) == infinite
    assert deviation([{"a": 1.0}], [{"a": 2.0}]) == infinite
