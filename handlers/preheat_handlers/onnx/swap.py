"""One session taking over from another behind the first answer, once it has given the same answer."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from preheat_handlers.onnx.session import Session


class Swap:
    """Makes the next session of `name` by `create`, on its own thread, and puts it in the place of the first.

    `tolerance` is how far its answer may be from the first session's, by the largest number in that: with 0
    every byte is the same. Packed weights change the order in which a long sum is added up, so that float32
    answers differ in their last digits; whole numbers must be equal in any case.
    """

    def __init__(self, name: str, create: Callable[[], Any], tolerance: float) -> None:
        self._name = name
        self._create = create
        self._tolerance = tolerance
        self._opened_in = os.getpid()
        self._inherited: Any = None
        self._once = threading.Lock()
        self.thread: threading.Thread | None = None

    def begin(
        self,
        session: "Session",
        outputs: Sequence[str] | None,
        feeds: Mapping[str, Any],
        answer: Sequence[Any],
    ) -> None:
        """Begin to make the next session; `answer` is what the first one gave for `feeds`."""
        if not self._once.acquire(blocking=False):
            return  # another thread's answer was the first
        # The caller may change its arrays as soon as it has its answer.
        kept = {name: _copy(value) for name, value in feeds.items()}
        work = (session, outputs, kept, [_copy(value) for value in answer])
        # No daemon: an interpreter that ends in the middle of onnxruntime's work is aborted by C++.
        self.thread = threading.Thread(target=self._run, args=work, name="preheat-onnx")
        self.thread.start()

    def _run(
        self, session: "Session", outputs: Sequence[str] | None, feeds: Mapping[str, Any], expected: list[Any]
    ) -> None:
        import logging

        log = logging.getLogger("preheat.onnx")
        try:
            following = self._create()
            apart = deviation(expected, following.run(outputs, feeds))
        except Exception:  # a thread's boundary: the session that answers goes on doing so
            log.exception("%s: the faster session cannot be made; the first one stays.", self._name)
            return
        if apart > self._tolerance:
            log.warning(
                "%s: the faster session's answer differs by %.1e of its largest number, more than %g; the "
                "first one stays. `preheat tune` finds what is fast without it, or takes a tolerance.",
                self._name,
                apart,
                self._tolerance,
            )
            return
        if os.getpid() != self._opened_in:
            # Its threads were not copied by the fork, and freeing it would wait for them for ever.
            self._inherited = session.onnx
        session.onnx = following
        log.info("%s: the faster session answers now; the difference is %.1e.", self._name, apart)


def _copy(value: Any) -> Any:
    return value.copy() if hasattr(value, "copy") else value


def deviation(first: Sequence[Any], second: Sequence[Any]) -> float:
    """Return the largest difference by the largest number of each output; infinity for what is no float."""
    import numpy

    worst = 0.0
    for one, other in zip(first, second, strict=True):
        if not isinstance(one, numpy.ndarray):
            if one != other:
                return float("inf")
            continue
        if one.shape != other.shape or one.dtype != other.dtype:
            return float("inf")
        if one.dtype == object or one.dtype.kind != "f":
            if not numpy.array_equal(one, other):
                return float("inf")
        elif one.tobytes() != other.tobytes():
            finite = numpy.isfinite(one)
            if not numpy.array_equal(finite, numpy.isfinite(other)):
                return float("inf")
            known, found = one[finite].astype("float64"), other[finite].astype("float64")
            scale = float(numpy.abs(known).max(initial=0.0))
            # Never 0 for bytes that differ, such as those of 0.0 and -0.0.
            apart = float(numpy.abs(known - found).max(initial=0.0)) / scale if scale else float("inf")
            worst = max(worst, apart, 5e-324)
    return worst
