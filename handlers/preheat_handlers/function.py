"""`handler = "preheat_handlers.function:text.words"`: the annotated function `words` of text.py.

A function of one parameter takes the input itself, one of several an object with a key for each. It may be
async, may yield, and may carry @preheat.batched, @preheat.cached and @preheat.threaded. `words.examples` is
a list of inputs, if it has one. What has to be loaded once is loaded where its module is imported.
"""

import importlib
import inspect
import typing
from collections.abc import Callable
from dataclasses import MISSING, field, make_dataclass
from typing import Any

import preheat
from preheat.errors import HandlerError
from preheat.interface.call import is_call

Function = Callable[..., Any]
Arguments = Callable[[Any, tuple[Any, ...]], tuple[list[Any], dict[str, Any]]]
REFERENCE = 'handler = "preheat_handlers.function:MODULE.FUNCTION"  # MODULE.py beside preheat.toml'


def __getattr__(name: str) -> "_Module":
    """Return what stands for the user's module `name`; importing it may fail as any import does."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _Module(name)


class _Module:
    """A module of the user, or a package, whose functions are handlers."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._module = _imported(name)

    def __getattr__(self, name: str) -> "_Module | type[preheat.Handler]":
        found = getattr(self._module, name, None)
        if inspect.isfunction(found):
            return handler_of(found)
        if inspect.ismodule(found) or (found is None and hasattr(self._module, "__path__")):
            return _Module(f"{self._name}.{name}")
        what = "has no" if found is None else f"has a {type(found).__name__}, and no function,"
        raise HandlerError(f"{self._name} {what} {name!r}.", hint=REFERENCE)


def handler_of(function: Function) -> type[preheat.Handler]:
    """Return the handler class whose predict is `function`. Raises HandlerError for what cannot be one."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as exc:
        raise HandlerError(f"An annotation of {function.__name__} cannot be resolved: {exc}.") from exc
    parameters = list(inspect.signature(function).parameters.values())
    asked = [parameter for parameter in parameters if is_call(hints.get(parameter.name))]
    inputs = [parameter for parameter in parameters if parameter not in asked]
    for parameter in inputs:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise HandlerError(
                f"{function.__name__} takes {parameter}, which is no input with a type.",
                hint=f"def {function.__name__}(text: str, limit: int = 10) -> list[str]:",
            )
    kind = None if len(inputs) == 1 else _object(function, inputs, hints)
    predict = _method(function, _arguments(parameters, asked, takes_object=kind is not None))
    name = "inputs" if kind else inputs[0].name
    annotations = {name: kind} if kind else {}
    annotations |= {key: hint for key, hint in hints.items() if key == "return" or not kind}
    annotations |= {parameter.name: hints[parameter.name] for parameter in asked}
    predict.__dict__.update(vars(function))
    predict.__wrapped__ = function  # whose line a mistake is about
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = ("self", name, *(parameter.name for parameter in asked))
    predict.__signature__ = inspect.Signature([inspect.Parameter(each, plain) for each in names])
    predict.__annotations__ = annotations
    members = {"predict": predict, "__doc__": function.__doc__, "__module__": function.__module__}
    if hasattr(function, "examples"):
        members["examples"] = _examples(function, kind)
    return type(function.__name__, (preheat.Handler,), members)


def _object(function: Function, inputs: list[inspect.Parameter], hints: dict[str, Any]) -> Any:
    """Return the dataclass with a field for each parameter."""
    fields = []
    for parameter in inputs:
        if parameter.name not in hints:
            raise HandlerError(
                f"The parameter {parameter.name!r} of {function.__name__} has no annotation; "
                "it is the contract with the caller.",
                hint=f"{parameter.name}: str",
            )
        default = MISSING if parameter.default is parameter.empty else parameter.default
        made: Any = field() if default is MISSING else _with_default(default)
        fields.append((parameter.name, hints[parameter.name], made))
    title = "".join(part.capitalize() for part in function.__name__.split("_"))
    return make_dataclass(
        f"{title}Input", fields, kw_only=True, namespace={"__module__": function.__module__}
    )


def _with_default(default: Any) -> Any:
    if type(default).__hash__ is None:  # a list or another value that calls would share
        return field(default_factory=lambda: default)
    return field(default=default)


def _arguments(
    parameters: list[inspect.Parameter], asked: list[inspect.Parameter], *, takes_object: bool
) -> Arguments | None:
    """Return what makes the arguments of a call of an input and what is asked for beside it.

    None where those follow one another as they are.
    """
    alike = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if not takes_object and parameters[1:] == asked and all(each.kind in alike for each in parameters):
        return None
    names = [each.name for each in parameters if each not in asked]
    by_place = [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]

    def arguments(value: Any, rest: tuple[Any, ...]) -> tuple[list[Any], dict[str, Any]]:
        found = {name: getattr(value, name) for name in names} if takes_object else {names[0]: value}
        found |= {parameter.name: each for parameter, each in zip(asked, rest, strict=True)}
        return [found.pop(name) for name in by_place], found

    return arguments


def _examples(function: Any, kind: Any) -> Callable[[Any], list[Any]]:
    """Return the method of the inputs in `function.examples`: of `kind` those that are objects."""

    def examples(_self: Any) -> list[Any]:
        if kind is None:
            return list(function.examples)
        try:
            return [kind(**each) for each in function.examples]
        except TypeError as exc:
            raise HandlerError(
                f"{function.__name__}.examples are not what {function.__name__} takes: {exc}.",
                hint=f'{function.__name__}.examples = [{{"text": "an input", "limit": 1}}]',
            ) from exc

    return examples


def _method(function: Function, arguments: Arguments | None) -> Any:
    """Return a method that calls `function`, of the same kind."""

    def given(value: Any, rest: tuple[Any, ...]) -> Any:
        if arguments is None:
            return function(value, *rest)
        places, names = arguments(value, rest)
        return function(*places, **names)

    async def predict_async(_self: Any, value: Any, *rest: Any) -> Any:
        return await given(value, rest)

    async def predict_async_stream(_self: Any, value: Any, *rest: Any) -> Any:
        async for item in given(value, rest):
            yield item

    def predict_stream(_self: Any, value: Any, *rest: Any) -> Any:
        yield from given(value, rest)

    def predict(_self: Any, value: Any, *rest: Any) -> Any:
        return given(value, rest)

    if inspect.isasyncgenfunction(function):
        return predict_async_stream
    if inspect.isgeneratorfunction(function):
        return predict_stream
    return predict_async if inspect.iscoroutinefunction(function) else predict


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name == name:
            raise HandlerError(f"There is no module {name!r} beside preheat.toml.", hint=REFERENCE) from exc
        raise
