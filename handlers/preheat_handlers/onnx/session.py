"""onnxruntime sessions that load fast: `open_session` for a model, or for a folder that `preheat tune` wrote.

onnxruntime and NumPy are imported when the first session is opened, with telemetry off: its thread makes a
forked child hang at exit (onnxruntime 1.31.1, measured 2026-11-21).
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preheat.errors import HandlerError
from preheat.interface.starting import START, Start
from preheat_handlers.onnx.cpu import cpu_features
from preheat_handlers.onnx.tuned import MANIFEST, MODEL, Machine, Recipe, Tuned, read_tuned

if TYPE_CHECKING:
    from preheat_handlers.onnx.swap import Swap

NOT_PACKED: Mapping[str, str] = {"session.disable_prepacking": "1"}
NOT_SPINNING: Mapping[str, str] = {"session.intra_op.allow_spinning": "0"}
SPIN_FROM_CPUS = 4
"""Below so many processors, a thread that spins between two operators takes time from the others."""
_LEVELS = {
    "disable": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}
_MODES = {"sequential": "ORT_SEQUENTIAL", "parallel": "ORT_PARALLEL"}


class Session:
    """A model that runs: `run` as onnxruntime's InferenceSession has it, `onnx` for all else.

    Where another session follows behind the first answer, `onnx` becomes that one.
    """

    def __init__(self, onnx: Any, swap: "Swap | None" = None, start: Start = START) -> None:
        self.onnx = onnx
        self.swap = swap
        self.start = start

    def run(
        self, outputs: Sequence[str] | None, feeds: Mapping[str, Any], run_options: Any = None
    ) -> list[Any]:
        """Return the `outputs` by name, all of them without names, for `feeds`."""
        answer: list[Any] = self.onnx.run(outputs, feeds, run_options)
        if (swap := self.swap) is not None and self.start.settled:
            self.swap = None
            swap.begin(self, outputs, feeds, answer)
        return answer


def open_session(
    path: str | os.PathLike[str], *, cpus: float = 1.0, answer_first: bool = False, tolerance: float = 0.0
) -> Session:
    """Open the model at `path`: an .onnx file, or a folder with one, tuned or not.

    `cpus` is the handler's `ctx.cpus` and decides on threads. With `answer_first`, the first session does not
    pack its weights; one that does takes over behind the first answer, if its answer to the same input is the
    same, or no farther than `tolerance` times the largest number in it. A tuned folder says itself how it
    is loaded. Raises HandlerError for a model that cannot be loaded, with the reason.
    """
    place = Path(path)
    import_onnxruntime()
    if (place / MANIFEST).is_file():
        return _open_tuned(read_tuned(place), cpus)
    model = model_file(place)
    entries = NOT_SPINNING if cpus < SPIN_FROM_CPUS else {}
    if not answer_first:
        return Session(_create(model, Recipe(entries=entries), cpus))
    packed = Recipe(entries=entries, tolerance=tolerance)
    return _open_both((model, Recipe(entries={**entries, **NOT_PACKED})), (model, packed), cpus)


def import_onnxruntime() -> Any:
    """Import onnxruntime, its telemetry off unless the environment says otherwise. Raises HandlerError."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ModuleNotFoundError as exc:
        raise HandlerError(
            f"There is no module {exc.name!r}, and ONNX models run in onnxruntime.",
            hint='requirements = ["numpy", "onnxruntime"]  # in preheat.toml',
        ) from exc
    return onnxruntime


def model_file(place: Path) -> Path:
    """Return the .onnx file at `place`, or the one in it. Raises HandlerError."""
    if not place.is_dir():
        return place
    if (place / MODEL).is_file():
        return place / MODEL
    found = sorted(place.glob("*.onnx"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise HandlerError(
            f"The folder {place.name} should have one .onnx file; it has {names}.",
            hint=f"Call it {MODEL}.",
        )
    return found[0]


def _open_tuned(tuned: Tuned, cpus: float) -> Session:
    import onnxruntime

    why = tuned.unfit(Machine(onnxruntime.__version__, os.uname().machine, cpu_features()))
    if why is None:
        first = (tuned.folder / tuned.load.file, tuned.load)
        if tuned.then is None:
            return Session(_create(*first, cpus))
        return _open_both(first, (tuned.folder / tuned.then.file, tuned.then), cpus)
    import logging  # 8 ms of a start, which only this case pays

    logging.getLogger("preheat.onnx").warning(
        "%s: %s. It loads by its safe options, more slowly; `preheat tune` measures it anew.",
        tuned.folder.name,
        why,
    )
    return Session(_create(tuned.folder / tuned.safe.file, tuned.safe, cpus))


def _open_both(first: tuple[Path, Recipe], then: tuple[Path, Recipe], cpus: float) -> Session:
    from preheat_handlers.onnx.swap import Swap

    swap = Swap(then[0].name, lambda: _create(*then, cpus), then[1].tolerance)
    return Session(_create(*first, cpus), swap)


def _create(model: Path, recipe: Recipe, cpus: float) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # warnings speak of nodes, of which the caller can do nothing
    options.intra_op_num_threads = max(1, int(cpus))
    for name, value in recipe.options.items():
        _set(options, name, value)
    for key, value in recipe.entries.items():
        options.add_session_config_entry(key, value)
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # onnxruntime's errors share no other base
        from preheat_handlers.onnx.problems import explained

        raise explained(model, exc) from exc


def _set(options: Any, name: str, value: Any) -> None:
    import onnxruntime

    if value is None:
        return
    if name == "graph_optimization_level":
        value = getattr(onnxruntime.GraphOptimizationLevel, _LEVELS[value])
    elif name == "execution_mode":
        value = getattr(onnxruntime.ExecutionMode, _MODES[value])
    elif not hasattr(options, name):
        raise HandlerError(
            f"{MANIFEST} sets {name!r}, which onnxruntime {onnxruntime.__version__} does not have.",
            hint="preheat tune --write",
        )
    setattr(options, name, value)
