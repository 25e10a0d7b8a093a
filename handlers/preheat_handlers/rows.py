"""Requests that run together: arrays whose first axis has rows, joined, run once, and parted again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Feeds = Mapping[str, Array]
Run = Callable[[Feeds], Sequence[Any]]


def run_rows(run: Run, inputs: Sequence[Feeds]) -> list[Sequence[Any] | Exception]:
    """Return what `run` gives for each of `inputs`, or the exception it raised for that one.

    Those of equal types and shapes behind the first axis run as one. What `run` gives must have a row for
    each row of its input; where it has not, or fails, each runs alone.
    """
    results: list[Sequence[Any] | Exception | None] = [None] * len(inputs)
    for group in _alike(inputs):
        together = _together(run, [inputs[index] for index in group]) if len(group) > 1 else None
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


def _together(run: Run, inputs: Sequence[Feeds]) -> list[Sequence[Any]] | None:
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
    return [[part[place] for part in parts] for place in range(len(inputs))]


def _alone(run: Run, feeds: Feeds) -> Sequence[Any] | Exception:
    try:
        return run(feeds)
    except Exception as exc:  # noqa: BLE001 - the failure of this request alone, which the runtime answers
        return exc
