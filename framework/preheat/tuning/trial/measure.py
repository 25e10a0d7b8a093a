"""How fast one session is, in a fresh process with the bundle's own packages.

In: "model", "options" and "entries" of the session, "threads" where the options leave them open, "calls" as
`record` wrote them, "seconds" for the steady state, and "outputs", where its answers go, or null.
Out: {"load_ms", "first_ms", "steady_ms", "rss_bytes"}; `steady_ms` is a median, of one call.
"""

import statistics
import time
from typing import Any

LEAST_RUNS, MOST_RUNS = 5, 400


def run(document: dict[str, Any]) -> dict[str, Any]:
    """Make the session, call it, and go on calling it."""
    import numpy as np
    import onnxruntime

    feeds = [(call["outputs"], _feed(np, call)) for call in document["calls"]]
    options = _options(onnxruntime, document)
    begun = time.perf_counter()
    session = onnxruntime.InferenceSession(document["model"], options, providers=["CPUExecutionProvider"])
    loaded = time.perf_counter()
    answers = [session.run(*feeds[0])]
    answered = time.perf_counter()
    answers += [session.run(names, feed) for names, feed in feeds[1:]]
    if document["outputs"]:
        _save(np, document["outputs"], answers)
    return {
        "load_ms": (loaded - begun) * 1000,
        "first_ms": (answered - loaded) * 1000,
        "steady_ms": _steady_ms(session, feeds, document["seconds"]),
        "rss_bytes": _peak_bytes(),
    }


def _options(onnxruntime: Any, document: dict[str, Any]) -> Any:
    levels = onnxruntime.GraphOptimizationLevel
    names = {
        "disable": levels.ORT_DISABLE_ALL,
        "basic": levels.ORT_ENABLE_BASIC,
        "extended": levels.ORT_ENABLE_EXTENDED,
        "all": levels.ORT_ENABLE_ALL,
    }
    options = onnxruntime.SessionOptions()
    for name, value in document["options"].items():
        match name:
            case "graph_optimization_level":
                options.graph_optimization_level = names[value]
            case "intra_op_num_threads":
                options.intra_op_num_threads = document["threads"] if value is None else value
            case _:
                setattr(options, name, value)
    for name, value in document["entries"].items():
        options.add_session_config_entry(name, value)
    return options


def _feed(np: Any, call: dict[str, Any]) -> dict[str, Any]:
    with np.load(call["file"], allow_pickle=False) as archive:
        return {name: archive[f"array{index}"] for index, name in enumerate(call["names"])}


def _steady_ms(session: Any, feeds: list[Any], seconds: float) -> float:
    """Return the median time of a call, over rounds through all of them."""
    spent: list[float] = []
    end = time.perf_counter() + seconds
    while len(spent) < LEAST_RUNS or (len(spent) < MOST_RUNS and time.perf_counter() < end):
        begun = time.perf_counter()
        for names, feed in feeds:
            session.run(names, feed)
        spent.append((time.perf_counter() - begun) * 1000 / len(feeds))
    return statistics.median(spent)


def _peak_bytes() -> int:
    """Return the most memory this program had, unlike getrusage without what its parent had before exec."""
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would count in what is measured
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def _save(np: Any, file: str, answers: list[Any]) -> None:
    values = {
        f"call{number}-{index}": _array(np, value)
        for number, outputs in enumerate(answers)
        for index, value in enumerate(outputs)
    }
    np.savez(file, **values)


def _array(np: Any, value: Any) -> Any:
    """Return an output as an array without objects: sequences and maps (of classifiers) by their values."""
    if isinstance(value, list):
        rows = [list(item.values()) if isinstance(item, dict) else item for item in value]
        value = np.concatenate([np.asarray(row).ravel() for row in rows]) if rows else np.zeros(0)
    array = np.asarray(value)
    return array.astype(str) if array.dtype == object else array
