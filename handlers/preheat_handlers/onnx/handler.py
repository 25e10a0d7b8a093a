"""`handler = "preheat_handlers.onnx:OnnxHandler"` and weights `model`: any ONNX model, without code."""

import typing
from collections.abc import Mapping, Sequence
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar

import preheat
from preheat.errors import BadInput, HandlerError
from preheat.interface.batching import Batching
from preheat_handlers.onnx.graph import Graph, Value, read_graph
from preheat_handlers.onnx.opening import Opening
from preheat_handlers.onnx.session import Session, model_file

if TYPE_CHECKING:
    from preheat_handlers.rows import Trust


class OnnxHandler(preheat.Handler):
    """An ONNX model: the tensors that it names, in and out.

    A subclass may say which `outputs` are answered (all, if none are named) and, by `preprocess` and
    `postprocess`, what a request and an answer are; their annotations are the contract then. Up to
    `max_batch` requests run as one where the first axis of every tensor is free and has one name, as long as
    the model answers each as if it were alone.
    """

    weights: ClassVar[str] = "model"
    outputs: ClassVar[tuple[str, ...]] = ()
    max_batch: ClassVar[int] = 32

    opening: ClassVar[Opening]
    graph: ClassVar[Graph]
    together: ClassVar["Trust"]
    session: Session

    @classmethod
    def typed(cls, ctx: preheat.Context) -> type[preheat.Handler]:
        """Return the class whose predict has the model's types; its session is made meanwhile."""
        if cls.weights not in ctx.weights:
            raise HandlerError(
                f"{cls.__name__} has no weights {cls.weights!r}.",
                hint=f'[weights.{cls.weights}]\nsource = "file:model.onnx"',
            )
        opening = Opening(cls.weights)
        graph = read_graph(model_file(ctx.weights[cls.weights]))
        return _with_types(cls, graph, opening)

    def setup(self, ctx: preheat.Context) -> None:
        """Wait for the session."""
        self.session = self.opening.session(ctx)

    def preprocess(self, inputs: Any) -> Mapping[str, Any]:
        """Return the model's inputs by name for one request."""
        from preheat_handlers.onnx.types import array_of, check_sizes

        feeds = {value.name: array_of(inputs[value.name], value) for value in self.graph.inputs}
        check_sizes(self.graph.inputs, feeds)
        return feeds

    def postprocess(self, outputs: Mapping[str, Any]) -> Any:
        """Return the answer to one request from the model's outputs by name."""
        return outputs

    def examples(self) -> Sequence[Any]:
        """Return one input of zeros, unless a subclass says what an input is. Raises HandlerError.

        Where a free size may be a width, the smallest one is taken that the model takes.
        """
        from preheat_handlers.onnx.types import SIZES, example, has_widths

        if _overrides(type(self), "preprocess"):
            return []
        inputs = self.graph.inputs
        tried = (example(inputs, size) for size in SIZES)
        found = next(filter(self._takes, tried), None) if has_widths(inputs) else next(tried)
        if found is None:
            raise HandlerError(
                f"The model takes no zeros whose free sizes are {', '.join(map(str, SIZES))}, and nobody "
                "says what its inputs are.",
                hint="class Model(OnnxHandler):  # in handler.py\n    def examples(self):\n"
                f"        return [{{{', '.join(f'{value.name!r}: numpy.zeros(...)' for value in inputs)}}}]",
            )
        return [found]

    def answered(self) -> tuple[Value, ...]:
        """Return the outputs that are computed."""
        return _answered(type(self), self.graph)

    def run(self, feeds: Mapping[str, Any]) -> list[Any]:
        """Run the model. Raises BadInput for what it does not take, such as an index too large."""
        try:
            return self.session.run([value.name for value in self.answered()], feeds)
        except Exception as exc:
            from preheat_handlers.onnx.problems import refusal

            why = refusal(exc)
            # With a preprocess, what the model does not take is not what the caller sent.
            if why is None or _overrides(type(self), "preprocess"):
                raise
            raise BadInput(f"The model does not take this input: {why}") from exc

    def answers(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the answer to each of `inputs`, or what was raised for it."""
        from preheat_handlers.rows import run_rows

        feeds: list[Any] = [_attempt(self.preprocess, each) for each in inputs]
        ready = [each for each in feeds if not isinstance(each, Exception)]
        results = iter(run_rows(self.run, ready, self.together))
        outcomes = [each if isinstance(each, Exception) else next(results) for each in feeds]
        return [each if isinstance(each, Exception) else _attempt(self.finish, each) for each in outcomes]

    def finish(self, outputs: Sequence[Any]) -> Any:
        """Return the answer for what `run` gave."""
        named = {value.name: output for value, output in zip(self.answered(), outputs, strict=True)}
        for value in self.answered():
            if value.dtype == "string":
                named[value.name] = named[value.name].tolist()
        return self.postprocess(named)

    def _takes(self, inputs: Mapping[str, Any]) -> bool:
        """Say whether the model runs with `inputs`, without a word in the log if not."""
        import onnxruntime

        from preheat_handlers.onnx.problems import refusal

        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        try:
            self.session.run([value.name for value in self.answered()], self.preprocess(inputs), options)
        except Exception as exc:
            if refusal(exc) is None:
                raise
            return False
        return True


def _with_types(cls: type[OnnxHandler], graph: Graph, opening: Opening) -> type[preheat.Handler]:
    from preheat_handlers.onnx.types import annotation, has_rows

    outputs = _answered(cls, graph)
    taken = _hint(cls, "preprocess") or annotation("Inputs", graph.inputs, outputs=False)
    given = _hint(cls, "postprocess") or annotation("Outputs", outputs, outputs=True)

    def predict(self: OnnxHandler, inputs: Any) -> Any:
        return self.finish(self.run(self.preprocess(inputs)))

    def predict_batch(self: OnnxHandler, inputs: list[Any]) -> list[Any]:
        return self.answers(inputs)

    chosen: Any = predict
    members: dict[str, Any] = {"graph": graph, "opening": opening, "__doc__": cls.__doc__}
    if cls.max_batch > 1 and has_rows(graph, outputs):
        from preheat_handlers.rows import Trust

        members["together"] = Trust()
        chosen, taken, given = predict_batch, GenericAlias(list, taken), GenericAlias(list, given)
        chosen.__preheat_batching__ = Batching(cls.max_batch, 5.0, rows=not _overrides(cls, "preprocess"))
    chosen.__annotations__ = {"inputs": taken, "return": given}
    members |= {"predict": chosen, "__module__": cls.__module__}
    return type(cls.__name__, (cls,), members)


def _answered(cls: type[OnnxHandler], graph: Graph) -> tuple[Value, ...]:
    by_name = {value.name: value for value in graph.outputs}
    for name in cls.outputs:
        if name not in by_name:
            raise HandlerError(f"The model has no output {name!r}; it has {', '.join(by_name)}.")
    return tuple(by_name[name] for name in cls.outputs or by_name)


def _overrides(cls: type[OnnxHandler], name: str) -> bool:
    return getattr(cls, name) is not getattr(OnnxHandler, name)


def _hint(cls: type[OnnxHandler], name: str) -> Any:
    """Return what a subclass's hook says that a request or an answer is; None where it has none."""
    if not _overrides(cls, name):
        return None
    hints = typing.get_type_hints(getattr(cls, name), include_extras=True)
    given = hints.pop("return", None)
    found = next(iter(hints.values()), None) if name == "preprocess" else given
    if found is None:
        line = "(self, query: Query) -> dict[str, numpy.ndarray]:"
        raise HandlerError(
            f"{cls.__name__}.{name} has no annotation; it is the contract with the caller.",
            hint=f"def preprocess{line}"
            if name == "preprocess"
            else "def postprocess(self, outputs) -> Answer:",
        )
    return found


def _attempt(function: typing.Callable[[Any], Any], value: Any) -> Any:
    try:
        return function(value)
    except Exception as exc:  # noqa: BLE001 - the failure of this request alone, which the runtime answers
        return exc
