"""Requests that run together: arrays whose first axis has rows, joined, run once, and parted again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Feeds = Mapping[str, Array]
Run = Callable[[Feeds], Sequence[Any]]
PROOFS = 3
"""How many runs of different requests together must answer two of them as they are answered alone."""
TOLERANCE = 0.05
"""How far off these answers may be, by the largest number of an output.

Sums in another order are off by 1e-6, float16 by 1e-3, and int8 whose scales are found while it runs, for all
rows, by 0.02 (measured 2026-11-21); a mean over all rows is off by about as much as they differ.
"""


class Trust:
    """Whether the rows of requests may run together, which a first axis that is free does not say.

    A model may take a mean over it, or rank what lies along it, and then callers see each other's data.
    `proofs` are the runs still to be compared; one that is off ends the trust for good, and the log says so.
    """

    def __init__(self, proofs: int = PROOFS) -> None:
        self.proofs = proofs
        self.lost = False

    def proven(self, run: Run, inputs: Sequence[Feeds], answers: Sequence[Sequence[Any]]) -> bool:
        """Say whether `answers`, given together, are those that `run` gives to two different inputs alone."""
        if not self.proofs:
            return True
        other = next((place for place, feeds in enumerate(inputs) if _differ(inputs[0], feeds)), None)
        if other is None:
            return True  # what is the same in all of them shows nothing
        for place in (0, other):
            alone = _alone(run, inputs[place])
            if isinstance(alone, Exception):
                return False
            if not _near(alone, answers[place]):
                self.lost = True
                _tell()
                return False
        self.proofs -= 1
        return True


def run_rows(run: Run, inputs: Sequence[Feeds], trust: Trust) -> list[Sequence[Any] | Exception]:
    """Return what `run` gives for each of `inputs`, or the exception it raised for that one.

    Those of equal types and shapes behind the first axis run as one, as far as `trust` goes. What `run` gives
    must have a row for each row of its input; where it has not, or fails, each runs alone.
    """
    results: list[Sequence[Any] | Exception | None] = [None] * len(inputs)
    for group in _alike(inputs):
        together = None
        if len(group) > 1 and not trust.lost:
            together = _together(run, [inputs[index] for index in group], trust)
        for place, index in enumerate(group):
            results[index] = together[place] if together else _alone(run, inputs[index])
    return [result for result in results if result is not None]


def _alike(inputs: Sequence[Feeds]) -> Iterator[list[int]]:
    groups: dict[object, list[int]] = {}
    for index, feeds in enumerate(inputs):
        rows = {array.shape[:1] for array in feeds.values()}
        kind = tuple((name, array.dtype, array.shape[1:]) for name, array in feeds.items())
        groups.setdefault(kind if len(rows) == 1 and () not in rows else index, []).append(index)
    yield from groups.values()


def _together(run: Run, inputs: Sequence[Feeds], trust: Trust) -> list[Sequence[Any]] | None:
    sizes = [len(next(iter(feeds.values()))) for feeds in inputs]
    joined = {name: np.concatenate([feeds[name] for feeds in inputs]) for name in inputs[0]}
    try:
        outputs = run(joined)
    except Exception:  # noqa: BLE001 - one of them may be the cause, which running each alone shows
        return None
    if not all(isinstance(output, np.ndarray) and output.shape[:1] == (sum(sizes),) for output in outputs):
        return None
    ends = np.cumsum(sizes)[:-1]
    parts = [np.split(output, ends) for output in outputs]
    answers: list[Sequence[Any]] = [[part[place] for part in parts] for place in range(len(inputs))]
    return answers if trust.proven(run, inputs, answers) else None


def _alone(run: Run, feeds: Feeds) -> Sequence[Any] | Exception:
    try:
        return run(feeds)
    except Exception as exc:  # noqa: BLE001 - the failure of this request alone, which the runtime answers
        return exc


def _differ(one: Feeds, other: Feeds) -> bool:
    return any(not np.array_equal(array, other[name]) for name, array in one.items())


def _near(alone: Sequence[Any], together: Sequence[Any]) -> bool:
    return all(_near_array(*pair) for pair in zip(alone, together, strict=True))


def _near_array(alone: Any, together: Array) -> bool:
    if not isinstance(alone, np.ndarray) or alone.shape != together.shape:
        return False
    if alone.dtype.kind not in "fiu":
        return np.array_equal(alone, together)
    one, other = alone.astype(np.float64), together.astype(np.float64)
    largest = max(float(np.abs(each[np.isfinite(each)]).max(initial=0.0)) for each in (one, other))
    return np.allclose(one, other, rtol=0.0, atol=TOLERANCE * largest, equal_nan=True)


def _tell() -> None:
    import logging  # 8 ms of a start, which only this case pays

    logging.getLogger("preheat.rows").warning(
        "The model answers requests otherwise when they run together than alone: it mixes their rows. From "
        "here on each runs alone; max_batch = 1 in a subclass of the handler says so from the start."
    )
