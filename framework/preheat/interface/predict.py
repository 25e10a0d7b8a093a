"""`predict` looked at once: what it takes and gives, and how it must be called; or what is wrong with it."""

import collections.abc
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from preheat.interface.batching import Batching, batching_mistakes, batching_of
from preheat.interface.caching import Caching, caching_mistakes, caching_of
from preheat.interface.call import call_mistakes, is_call
from preheat.interface.codec import Codec
from preheat.interface.concurrency import threads_mistakes, threads_of
from preheat.interface.mistake import Mistake, line_of, line_of_class, line_of_field
from preheat.interface.schema import Compiler

_SYNC_STREAMS = (collections.abc.Iterator, collections.abc.Generator, collections.abc.Iterable)
_ASYNC_STREAMS = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
)
_LINE = "def predict(self, text: str) -> str:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predict:
    """What `predict` is. `input` and `output` are those of one request, or of one item of a stream."""

    input: Codec
    output: Codec
    batching: Batching | None
    caching: Caching | None
    threads: int
    takes_call: bool
    is_async: bool
    is_stream: bool


def read_predict(handler: type) -> tuple[Predict | None, tuple[Mistake, ...]]:
    """Return what the `predict` of `handler` is, or None and every mistake in it."""
    name = f"{handler.__module__}:{handler.__qualname__}"
    raw = inspect.getattr_static(handler, "predict", None)
    if raw is None:
        message = f"Handler {name!r} has no predict(). preheat calls it for every request."
        return None, (Mistake(message=message, fix=_LINE + " ...", line=line_of_class(handler)),)
    if not inspect.isfunction(raw):
        message = f"predict of {name!r} is no method: it is a {type(raw).__name__}."
        return None, (Mistake(message=message, fix=_LINE + " ...", line=line_of_class(handler)),)
    look = _Look(handler, raw, line_of(raw))
    look.signature()
    if look.mistakes:
        return None, tuple(look.mistakes)
    return look.compiled(), tuple(look.mistakes)


@dataclass(slots=True)
class _Look:
    """One look at one predict; each step adds the mistakes it finds."""

    handler: type
    function: Callable[..., Any]
    line: int | None
    mistakes: list[Mistake] = field(default_factory=list)
    taken: Any = None
    given: Any = None
    asked: Any = None
    is_stream: bool = False

    def wrong(self, message: str, fix: str) -> None:
        self.mistakes.append(Mistake(message=self.named(message), fix=self.named(fix), line=self.line))

    def named(self, text: str) -> str:
        """Return `text` on the function that predict was made from, if it was: its user wrote no predict."""
        function = inspect.unwrap(self.function)
        if function is self.function or function.__name__ == "predict":
            return text
        text = text.replace("predict(self, ", f"{function.__name__}(")
        return re.sub(r"\bpredict\b", function.__name__, text)

    def signature(self) -> None:
        """Find the annotations of the input and of the result."""
        hints = self._hints()
        parameter = self._parameter(hints or {})
        if hints is None:
            return
        if parameter is not None and parameter not in hints:
            self.wrong(
                f"predict's input {parameter!r} has no annotation; it is the contract with the caller.",
                f"def predict(self, {parameter}: str) -> ...:",
            )
        if "return" not in hints:
            self.wrong(
                "predict's result has no annotation; it is the contract with the caller.",
                f"def predict(self, {parameter or 'text'}: ...) -> str:",
            )
        self.taken, self.given = hints.get(parameter or ""), hints.get("return")
        if not self.mistakes:
            self._unpack_stream()
            self._unpack_batch()
            self._check_caching()
            self._check_threads()
            self._check_call()

    def _parameter(self, hints: Mapping[str, Any]) -> str | None:
        parameters = list(inspect.signature(self.function).parameters.values())
        if parameters and parameters[0].name != "self" and len(parameters) == 1:
            self.wrong(f"predict takes {parameters[0].name!r} where self belongs.", _LINE)
            return None
        inputs = parameters[1:]
        plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if len(inputs) == 2 and inputs[1].kind in plain and is_call(hints.get(inputs[1].name)):
            self.asked = hints[inputs.pop().name]
        if len(inputs) != 1 or inputs[0].kind not in plain:
            given = ", ".join(str(parameter).partition(":")[0] for parameter in inputs) or "none"
            self.wrong(
                f"predict takes one input, and this one takes {given}. "
                "preheat passes one value, and the preheat.Call if asked; several belong into a dataclass.",
                "def predict(self, query: Query) -> Answer:" if len(inputs) > 1 else _LINE,
            )
            return None
        return inputs[0].name

    def _hints(self) -> dict[str, Any] | None:
        try:
            return typing.get_type_hints(self.function, include_extras=True)
        except NameError as exc:
            self.wrong(
                f"An annotation of predict cannot be resolved: {exc} in {self.handler.__module__}.",
                f"from ... import {exc.name}  # at the top of the module, not under TYPE_CHECKING",
            )
        except (TypeError, SyntaxError, AttributeError) as exc:
            self.wrong(f"An annotation of predict is no type: {exc}.", _LINE)
        return None

    def _unpack_stream(self) -> None:
        origin, arguments = typing.get_origin(self.given), typing.get_args(self.given)
        base = origin or self.given
        generates = inspect.isgeneratorfunction(self.function)
        generates_async = inspect.isasyncgenfunction(self.function)
        self.is_stream = base in _SYNC_STREAMS or base in _ASYNC_STREAMS
        if not self.is_stream and not generates and not generates_async:
            return
        wanted = "AsyncIterator" if generates_async or base in _ASYNC_STREAMS else "Iterator"
        if (
            not self.is_stream
            or (base in _SYNC_STREAMS and generates_async)
            or (base in _ASYNC_STREAMS and generates)
        ):
            item = "str" if self.is_stream else _said(arguments[0] if origin is list else self.given)
            self.wrong(
                f"predict yields, so its result is a stream; the annotation says {_said(self.given)}.",
                f"-> {'AsyncIterator' if generates_async else 'Iterator'}[{item}]:",
            )
        elif not arguments:
            self.wrong(f"{wanted} does not say of what.", f"-> {wanted}[str]:")
        elif inspect.iscoroutinefunction(self.function):
            self.wrong(
                "predict is async and returns an iterator without yielding itself.",
                "def predict(...)  # without async, or with yield in it",
            )
        else:
            self.given = arguments[0]

    def _unpack_batch(self) -> None:
        batching = batching_of(self.function)
        if batching is None:
            return
        if self.is_stream:
            self.wrong(
                "A batched predict cannot yield: its answers belong to many callers.",
                "Remove @preheat.batched.",
            )
            return
        for message, fix in batching_mistakes(batching):
            self.wrong(message, fix)
        if typing.get_origin(self.taken) is not list or typing.get_origin(self.given) is not list:
            self.wrong(
                "A batched predict takes a list of inputs and returns a list of results; "
                f"this one takes {_said(self.taken)} and returns {_said(self.given)}.",
                f"def predict(self, inputs: {_listed(self.taken)}) -> {_listed(self.given)}:",
            )
            return
        self.taken, self.given = typing.get_args(self.taken)[0], typing.get_args(self.given)[0]

    def _check_caching(self) -> None:
        caching = caching_of(self.function)
        if caching is not None:
            for message, fix in caching_mistakes(caching, is_stream=self.is_stream):
                self.wrong(message, fix)

    def _check_threads(self) -> None:
        threads = threads_of(self.function)
        if threads is None:
            return
        found = threads_mistakes(
            threads,
            is_async=inspect.iscoroutinefunction(self.function),
            is_batched=batching_of(self.function) is not None,
            is_stream=self.is_stream,
        )
        for message, fix in found:
            self.wrong(message, fix)

    def _check_call(self) -> None:
        if self.asked is None:
            return
        is_batched, is_cached = batching_of(self.function) is not None, caching_of(self.function) is not None
        for message, fix in call_mistakes(self.asked, is_batched=is_batched, is_cached=is_cached):
            self.wrong(message, fix)

    def compiled(self) -> Predict | None:
        """Compile both annotations."""
        codecs = []
        for annotation, place in ((self.taken, "predict's input"), (self.given, "predict's result")):
            compiler = Compiler()
            node = compiler.compile(annotation, place)
            codecs.append(Codec(compiler.document(node), node, compiler.pictures))
            for mistake in compiler.mistakes:
                found = Mistake(
                    message=self.named(f"{mistake.place}: {mistake.message}."),
                    fix=mistake.fix,
                    line=self._place_of(mistake),
                )
                if found not in self.mistakes:
                    self.mistakes.append(found)
        if self.mistakes:
            return None
        threads = threads_of(self.function)
        is_async = inspect.iscoroutinefunction(self.function) or inspect.isasyncgenfunction(self.function)
        hinted = typing.get_type_hints(self.function)["return"]
        return Predict(
            input=codecs[0],
            output=codecs[1],
            batching=batching_of(self.function),
            caching=caching_of(self.function),
            threads=(threads.count or 1) if threads else 1,
            takes_call=self.asked is not None,
            is_async=is_async or (typing.get_origin(hinted) or hinted) in _ASYNC_STREAMS,
            is_stream=self.is_stream,
        )

    def _place_of(self, mistake: Any) -> int | None:
        if mistake.owner is None:
            return self.line
        if mistake.owner.__module__ != self.handler.__module__:
            return None
        return line_of_field(mistake.owner, mistake.attribute) or self.line


def _said(annotation: Any) -> str:
    return annotation.__qualname__ if type(annotation) is type else str(annotation)


def _listed(annotation: Any) -> str:
    return _said(annotation) if typing.get_origin(annotation) is list else f"list[{_said(annotation)}]"
