"""Runs an entry's script and tells when what happened: `probe.py SETTINGS SCRIPT [ARGUMENT...]`.

In: SETTINGS, JSON: {"marks": FILE, "tell": bool, "absent": [MODULE], "threads": N or null}. Out: lines of
JSON in FILE, {"event", "name", "from", "to"} in ns of the monotonic clock; with "tell", also lines on
standard error, `preheat-phase: NAME begins` and `ends`. "absent" modules are stand-ins that fail when they
are used; with "threads", every onnxruntime session is opened with so many.

It stands before the entry in those starts only that phases are taken from or that try something out. It
ships in no bundle, and imports nothing before it has noted that the interpreter is up.
"""

import time

UP = time.monotonic_ns()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

PHASES = "preheat.runtime.loader"
ONNXRUNTIME = "onnxruntime.capi.onnxruntime_inference_collection"
LOADS = {
    ONNXRUNTIME: "InferenceSession.__init__",
    "torch": "load",
    "torch.jit": "load",
    "safetensors.torch": "load_file",
    "joblib": "load",
    "llama_cpp.llama": "Llama.__init__",
}
"""What opens a model, by the module that has it."""


class Probe:
    """A finder before all others on `sys.meta_path`: it changes the few modules that it knows."""

    def __init__(self, settings: "dict[str, Any]") -> None:
        self._marks = os.open(settings["marks"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._tell: bool = settings["tell"]
        self._absent = tuple(settings["absent"])
        self._threads: int | None = settings["threads"]

    def find_spec(self, name: str, path: "Sequence[str] | None", target: "ModuleType | None" = None) -> Any:
        """Return a changed spec for a module that it knows, and None for the others."""
        if any(name == each or name.startswith(f"{each}.") for each in self._absent):
            from importlib.machinery import ModuleSpec

            return ModuleSpec(name, StandIns(), is_package=True)  # type: ignore[arg-type]
        if name != PHASES and name not in LOADS:
            return None
        return self._changed(name, _found(self, name, path, target))

    def _changed(self, name: str, spec: "ModuleSpec | None") -> "ModuleSpec | None":
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def run(module: "ModuleType") -> None:
            execute(module)
            if name == PHASES:
                self._watch_phases(module)
            else:
                self._watch_load(module, LOADS[name])

        spec.loader.exec_module = run  # type: ignore[method-assign]
        return spec

    def _watch_phases(self, module: "Any") -> None:
        from contextlib import contextmanager

        phase = module.PhaseClock.phase

        @contextmanager
        def timed(clock: Any, name: str) -> Any:
            self.tell(f"{name} begins")
            begun = time.monotonic_ns()
            with phase(clock, name):
                yield
            self.mark("phase", name, begun)
            self.tell(f"{name} ends")

        module.PhaseClock.phase = timed

    def _watch_load(self, module: "Any", attribute: str) -> None:
        *classes, function = attribute.split(".")
        owner = getattr(module, classes[0]) if classes else module
        label = ".".join([module.__name__.partition(".")[0], *(classes or [function])])
        setattr(owner, function, self._timed(getattr(owner, function), label, bool(classes)))

    def _timed(self, load: "Callable[..., Any]", label: str, method: bool) -> "Callable[..., Any]":
        def timed(*args: Any, **kwargs: Any) -> Any:
            given = list(args[1:] if method else args)
            if self._threads is not None and label == "onnxruntime.InferenceSession":
                given, kwargs = _with_threads(given, kwargs, self._threads)
            begun = time.monotonic_ns()
            result = load(*args[:1], *given, **kwargs) if method else load(*given, **kwargs)
            opened = given[0] if given else next(iter(kwargs.values()), None)
            self.mark("load", label, begun, file=_path(opened), threads=_threads_of(given, kwargs))
            return result

        return timed

    def tell(self, text: str) -> None:
        """Say something between the lines of -X importtime."""
        if self._tell:
            os.write(2, f"preheat-phase: {text}\n".encode())

    def mark(self, event: str, name: str, begun: int, **more: Any) -> None:
        """Note what ended now."""
        line = {"event": event, "name": name, "from": begun, "to": time.monotonic_ns(), **more}
        os.write(self._marks, json.dumps(line).encode() + b"\n")


def _found(probe: Probe, name: str, path: Any, target: Any) -> "ModuleSpec | None":
    others = (finder for finder in sys.meta_path if finder is not probe)
    specs = (finder.find_spec(name, path, target) for finder in others)
    return next((spec for spec in specs if spec is not None), None)


def _with_threads(given: "list[Any]", named: "dict[str, Any]", threads: int) -> "tuple[list[Any], Any]":
    import onnxruntime

    options = given[1] if len(given) > 1 else named.get("sess_options")
    options = options or onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if len(given) > 1:
        given[1] = options
        return given, named
    return given, {**named, "sess_options": options}


def _threads_of(given: "list[Any]", named: "dict[str, Any]") -> int | None:
    """Return how many threads a session was asked to have; 0 lets onnxruntime choose."""
    options = given[1] if len(given) > 1 else named.get("sess_options")
    return getattr(options, "intra_op_num_threads", 0)


def _path(value: Any) -> str | None:
    return os.path.realpath(value) if isinstance(value, (str, os.PathLike)) else None


class StandIns:
    """Makes modules that are not there: their names are, and fail when they are used."""

    def create_module(self, spec: "ModuleSpec") -> "Any":
        """Return one."""
        module = type(sys)(spec.name)
        module.__getattr__ = _stand_in  # type: ignore[method-assign]
        return module

    def exec_module(self, module: "ModuleType") -> None:
        """Run nothing."""


class StandIn:
    """Something of a module that is not there."""

    def __getattr__(self, name: str) -> "StandIn":
        return _stand_in(name)

    def __call__(self, *_: object, **__: object) -> None:
        """Refuse."""
        raise RuntimeError("this start was tried without the module, and uses it")


def _stand_in(name: str) -> StandIn:
    if name.startswith("__"):
        raise AttributeError(name)
    return StandIn()


def run(script: str) -> None:
    """Be `script`, as if Python had been started with it."""
    with open(script, "rb") as file:  # noqa: PTH123 - pathlib is a part of what some entries import
        code = compile(file.read(), script, "exec")
    main = type(sys)("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    exec(code, main.__dict__)  # noqa: S102 - it is the entry that the start is about


if __name__ == "__main__":
    probe = Probe(json.loads(sys.argv[1]))
    probe.mark("up", "interpreter", UP)
    sys.meta_path.insert(0, probe)
    del sys.argv[:2]
    run(sys.argv[0])
