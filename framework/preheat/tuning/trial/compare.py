"""How far answers are from others. In: "pairs": [[file, file], ...]; the first of a pair counts as right.

Out: {"deviations": [{"identical", "max_abs", "max_rel", "cosine"}]}, each the worst over all calls and
outputs. `max_rel` is the largest difference over the largest magnitude of the same output; values that are no
numbers, or whole ones, count as wrong or right: `cosine` is then the share of those that are right.
"""

from typing import Any


def run(document: dict[str, Any]) -> dict[str, Any]:
    """Compare each pair of files that `measure` wrote."""
    import numpy as np

    return {"deviations": [_files(np, *pair) for pair in document["pairs"]]}


def _files(np: Any, right: str, other: str) -> dict[str, Any]:
    with np.load(right, allow_pickle=False) as ours, np.load(other, allow_pickle=False) as theirs:
        assert ours.files == theirs.files
        found = [deviation(np, ours[name], theirs[name]) for name in ours.files]
    return {
        "identical": all(each["identical"] for each in found),
        "max_abs": max((each["max_abs"] for each in found), default=0.0),
        "max_rel": max((each["max_rel"] for each in found), default=0.0),
        "cosine": min((each["cosine"] for each in found), default=1.0),
    }


def deviation(np: Any, right: Any, other: Any) -> dict[str, Any]:
    """Return how far `other` is from `right`; what cannot be compared is as far as can be."""
    if right.shape != other.shape or right.dtype != other.dtype:
        return {"identical": False, "max_abs": float("inf"), "max_rel": float("inf"), "cosine": -1.0}
    if right.tobytes() == other.tobytes():
        return {"identical": True, "max_abs": 0.0, "max_rel": 0.0, "cosine": 1.0}
    if right.dtype.kind not in "fc":
        share = float((right == other).mean())
        return {"identical": False, "max_abs": 1.0, "max_rel": 1.0 - share, "cosine": share}
    a, b = right.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    finite = np.isfinite(a)
    if not np.array_equal(finite, np.isfinite(b)) or not np.array_equal(
        a[~finite], b[~finite], equal_nan=True
    ):
        return {"identical": False, "max_abs": float("inf"), "max_rel": float("inf"), "cosine": -1.0}
    a, b = a[finite], b[finite]
    largest = float(np.abs(a - b).max()) if a.size else 0.0
    scale = float(np.abs(a).max()) if a.size else 0.0
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    cosine = float(a @ b) / lengths if lengths else float(not np.any(a) and not np.any(b))
    return {
        "identical": False,
        "max_abs": largest,
        "max_rel": largest / scale if scale else float(largest > 0),
        "cosine": min(1.0, cosine),
    }
