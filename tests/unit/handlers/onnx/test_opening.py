import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.handlers import context
from tests.fakes.onnx_models import linear, ones

from preheat.errors import HandlerError
from preheat.interface.starting import Start
from preheat_handlers.onnx.opening import Opening, opening


def test_within_a_start_it_begins_at_once(tmp_path: Path) -> None:
    ctx = context(tmp_path, model=linear(tmp_path / "m.onnx"))
    begun = Opening("model", start=Start(context=ctx))
    for thread in threading.enumerate():
        if thread.name == "preheat-opening":
            thread.join()
    (tmp_path / "m.onnx").unlink()
    assert np.isfinite(begun.session(ctx).run(None, {"x": ones(1)})[0]).all()


def test_outside_it_begins_when_asked(tmp_path: Path) -> None:
    later = opening("model")
    ctx = context(tmp_path, model=linear(tmp_path / "m.onnx"))
    session = later.session(ctx)
    assert later.session(ctx) is session


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/task")
def test_no_thread_is_left_when_the_session_is_there(tmp_path: Path) -> None:
    """A zygote forks after setup."""
    ctx, tasks = context(tmp_path, model=linear(tmp_path / "m.onnx")), Path("/proc/self/task")
    opening("model").session(ctx)
    before = {task.name for task in tasks.iterdir()}
    for _ in range(50):  # one that has been joined is there for a moment yet
        opening("model").session(ctx)
        assert {task.name for task in tasks.iterdir()} <= before


def test_what_goes_wrong_is_raised_where_the_session_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(HandlerError, match="There are no weights 'model'; there are other") as raised:
        opening("model").session(context(tmp_path, other=tmp_path))
    assert raised.value.hint == '[weights.model]\nsource = "file:model.onnx"'
    with pytest.raises(HandlerError, match="There is no model"):
        opening("model").session(context(tmp_path, model=tmp_path / "gone.onnx"))
