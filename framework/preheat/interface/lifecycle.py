"""The methods around `predict`: their signatures, their names, and whether the class can be made at all."""

import inspect
from collections.abc import Iterator
from typing import Any

from preheat.interface.handler import Handler
from preheat.interface.mistake import Mistake, line_of, line_of_class
from preheat.interface.nodes.words import nearest

_LINES = {
    "setup": "def setup(self, ctx: preheat.Context) -> None:",
    "restore": "def restore(self, ctx: preheat.Context) -> None:",
    "teardown": "def teardown(self, ctx: preheat.Context) -> None:",
    "examples": "def examples(self) -> list[Query]:",
}
_KNOWN = (*_LINES, "predict")


def lifecycle_mistakes(handler: type[Handler]) -> Iterator[Mistake]:
    """Yield what is wrong with a handler class apart from its predict."""
    yield from _construction(handler)
    for name, line in _LINES.items():
        raw = inspect.getattr_static(handler, name)
        if raw is not inspect.getattr_static(Handler, name):
            yield from _method(name, raw, line, handler)
    yield from _misspelt(handler)


def _construction(handler: type[Handler]) -> Iterator[Mistake]:
    if inspect.isabstract(handler):
        missing = ", ".join(sorted(getattr(handler, "__abstractmethods__", ())))
        yield Mistake(
            message=f"{handler.__qualname__} is abstract: it lacks {missing}. preheat makes an instance.",
            fix=f"Define {missing}.",
            line=line_of_class(handler),
        )
        return
    if handler.__init__ is object.__init__ and handler.__new__ is object.__new__:
        return  # needs nothing; inspect would read that from object's text, which takes 2 ms of a start
    needed = [
        parameter.name
        for parameter in inspect.signature(handler).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        yield Mistake(
            message=f"The constructor of {handler.__qualname__} needs {', '.join(needed)}. "
            "preheat makes the instance, and calls setup(ctx) on it.",
            fix=_LINES["setup"],
            line=line_of(inspect.getattr_static(handler, "__init__")),
        )


def _method(name: str, raw: Any, line: str, handler: type[Handler]) -> Iterator[Mistake]:
    if not inspect.isfunction(raw):
        yield Mistake(
            message=f"{name} is no method: it is a {type(raw).__name__}.",
            fix=line,
            line=line_of_class(handler),
        )
        return
    if inspect.iscoroutinefunction(raw) or inspect.isasyncgenfunction(raw):
        yield Mistake(
            message=f"{name} is async; preheat calls it before the event loop and awaits nothing.",
            fix=line,
            line=line_of(raw),
        )
    arguments = (None,) * line.count(",")
    try:
        inspect.signature(raw).bind(None, *arguments)
    except TypeError:
        takes = "itself and the Context" if arguments else "only itself"
        yield Mistake(
            message=f"{name}{inspect.signature(raw)} cannot be called: preheat passes {takes}.",
            fix=line,
            line=line_of(raw),
        )


def _misspelt(handler: type[Handler]) -> Iterator[Mistake]:
    classes = [kind for kind in handler.__mro__ if kind not in (Handler, object)]
    defined = {name: value for kind in reversed(classes) for name, value in vars(kind).items()}
    for name, value in defined.items():
        if not inspect.isfunction(value) or name.startswith("__") or name in _KNOWN:
            continue
        near = nearest(name, _KNOWN, cutoff=0.85)
        if near is not None and near not in defined:
            yield Mistake(
                message=f"{handler.__qualname__} has {name}(), which preheat never calls. Is it {near}()?",
                fix=_LINES.get(near, "def predict(self, ...) -> ...:"),
                line=line_of(value),
            )
