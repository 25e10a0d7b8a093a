"""Runs an entry's script and tells when what happened: `probe.py SETTINGS SCRIPT [ARGUMENT...]`.

In: SETTINGS, JSON: {"marks": FILE, "imports": bool, "absent": [MODULE], "threads": N or null, "models":
{FILE: FILE}}. Out: lines of JSON in FILE, {"event", "name", "from", "to"} in ns of the monotonic clock; with
"imports", also one for each module that has a file. "absent" modules are stand-ins that fail when they are
used. With "threads", every onnxruntime session is opened with so many; of "models", the other file is
opened, which was optimised beforehand.

It stands before the entry in those starts only that phases are taken from or that try something out. It
ships in no bundle, and imports nothing before it has noted that the interpreter is up.
"""

import time

UP = time.monotonic_ns()

import _thread  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

PHASES = "preheat.runtime.phases"
ONNXRUNTIME = "onnxruntime.capi.onnxruntime_inference_collection"
SESSION = "onnxruntime.InferenceSession"
LOADS = {
    ONNXRUNTIME: "InferenceSession.__init__",
    "torch": "load",
    "torch.jit": "load",
    "safetensors.torch": "load_file",
    "joblib": "load",
    "llama_cpp.llama": "Llama.__init__",
}
"""What opens a model, by the module that has it."""


class Here(_thread._local):
    """What a thread is at: the modules that it imports, and whether it runs a phase of the handler."""

    def __init__(self) -> None:
        self.asking: list[str] = []
        self.of_handler = False


class Probe:
    """A finder before all others on `sys.meta_path`: it changes the few modules that it knows."""

    def __init__(self, settings: "dict[str, Any]") -> None:
        self._marks = os.open(settings["marks"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._imports: bool = settings["imports"]
        self._absent = tuple(settings["absent"])
        self._threads: int | None = settings["threads"]
        self._models: dict[str, str] = settings["models"]
        self._here = Here()

    def find_spec(self, name: str, path: "Sequence[str] | None", target: "ModuleType | None" = None) -> Any:
        """Return a changed spec for a module that it knows, and None for the others."""
        if any(name == each or name.startswith(f"{each}.") for each in self._absent):
            from importlib.machinery import ModuleSpec

            return ModuleSpec(name, StandIns(), is_package=True)  # type: ignore[arg-type]
        known = name == PHASES or name in LOADS
        if not known and not self._imports:
            return None
        begun = time.monotonic_ns()
        spec = _found(self, name, path, target)
        if spec is None or getattr(spec.loader, "name", None) != name:  # none of its own: built in, zipped
            return spec
        if self._imports:
            self._time(spec, begun)
        if known:
            self._change(spec)
        return spec

    def _time(self, spec: "Any", begun: int) -> None:
        """Have the import of a module noted, from when it was searched for; `by` is who asked for it."""
        create, execute, here = spec.loader.create_module, spec.loader.exec_module, self._here
        spent = time.monotonic_ns() - begun

        def timed(step: "Callable[[Any], Any]", given: "Any") -> "Any":
            nonlocal spent
            begun = time.monotonic_ns()
            here.asking.append(spec.name)
            try:
                return step(given)
            finally:
                here.asking.pop()
                spent += time.monotonic_ns() - begun

        def run(module: "ModuleType") -> None:
            timed(execute, module)
            by = here.asking[-1] if here.asking else None
            self.mark("import", spec.name, time.monotonic_ns() - spent, by=by, of_handler=here.of_handler)

        spec.loader.create_module = lambda given: timed(create, given)
        spec.loader.exec_module = run

    def _change(self, spec: "Any") -> None:
        execute = spec.loader.exec_module

        def run(module: "ModuleType") -> None:
            execute(module)
            if spec.name == PHASES:
                self._watch_phases(module)
            else:
                self._watch_load(module, LOADS[spec.name])

        spec.loader.exec_module = run

    def _watch_phases(self, module: "Any") -> None:
        from contextlib import contextmanager

        phase = module.PhaseClock.phase

        @contextmanager
        def timed(clock: Any, name: str) -> Any:
            begun = time.monotonic_ns()
            self._here.of_handler = True
            try:
                with phase(clock, name):
                    yield
            finally:
                self._here.of_handler = False
            self.mark("phase", name, begun)

        module.PhaseClock.phase = timed

    def _watch_load(self, module: "Any", attribute: str) -> None:
        *classes, function = attribute.split(".")
        owner = getattr(module, classes[0]) if classes else module
        label = ".".join([module.__name__.partition(".")[0], *(classes or [function])])
        setattr(owner, function, self._timed(getattr(owner, function), label, bool(classes)))

    def _timed(self, load: "Callable[..., Any]", label: str, method: bool) -> "Callable[..., Any]":
        def timed(*args: Any, **kwargs: Any) -> Any:
            given = list(args[1:] if method else args)
            opened = _path(given[0] if given else next(iter(kwargs.values()), None))
            if label == SESSION:
                given, kwargs = self._other_session(given, kwargs, opened)
            begun = time.monotonic_ns()
            result = load(*args[:1], *given, **kwargs) if method else load(*given, **kwargs)
            self.mark("load", label, begun, file=opened, threads=_threads_of(given, kwargs))
            return result

        return timed

    def _other_session(
        self, given: "list[Any]", named: "dict[str, Any]", opened: str | None
    ) -> "tuple[list[Any], dict[str, Any]]":
        """Return the arguments of a session with what is tried; as they are where nothing is."""
        model = None if opened is None else self._models.get(opened)
        if model is None and self._threads is None:
            return given, named
        import onnxruntime

        path = given[0] if given else named.pop("path_or_bytes")
        options = given[1] if len(given) > 1 else named.pop("sess_options", None)
        options = options or onnxruntime.SessionOptions()
        if self._threads is not None:
            options.intra_op_num_threads = self._threads
        if model is not None:
            path = model
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.add_session_config_entry("session.disable_prepacking", "1")
        return [path, options, *given[2:]], named

    def mark(self, event: str, name: str, begun: int, **more: Any) -> None:
        """Note what ended now."""
        line = {"event": event, "name": name, "from": begun, "to": time.monotonic_ns(), **more}
        os.write(self._marks, json.dumps(line).encode() + b"\n")


def _found(probe: Probe, name: str, path: Any, target: Any) -> "ModuleSpec | None":
    others = (finder for finder in sys.meta_path if finder is not probe)
    specs = (finder.find_spec(name, path, target) for finder in others)
    return next((spec for spec in specs if spec is not None), None)


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
