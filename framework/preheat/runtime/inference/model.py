"""One handler as a model over an engine, which gets the same requests as from /invocations."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from preheat.errors import BadInput, HandlerFailed, NotFound, NotOffered
from preheat.interface.message import PROBLEM_TYPE, Engine, Request, Response
from preheat.runtime.inference.bodies import Body
from preheat.runtime.inference.mapping import Field, Mapped
from preheat.runtime.inference.tensors import Tensor

PLATFORM = "preheat"
ITEMS_AT_ONCE = 8
"""How many items of one request run at once, where the handler's own batches are not larger."""
ASIDE_BYTES = 256 * 1024
"""Tensors above this are translated on another thread, so that the event loop stays answerable."""

Answered = Callable[[Response], None]
Value = TypeVar("Value")

log = logging.getLogger("preheat.inference")


class Refused(Exception):
    """The engine answered one item with an error; `reason` is what it tells the caller."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer
        self.reason = _reason(answer)


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor as the model's metadata describes it; -1 in `shape` is any size."""

    name: str
    datatype: str
    shape: list[int]


@dataclass(frozen=True, slots=True)
class Inferred:
    """The outputs of one request, and the headers of the engine's first answer."""

    outputs: Sequence[Tensor]
    headers: Mapping[str, str]


class InferenceModel:
    """What REST and gRPC serve: one handler under a name and a version."""

    def __init__(self, *, engine: Engine, document: Mapping[str, Any], name: str, version: str) -> None:
        self.name, self.version = name, version
        self._engine = engine
        self._mapped = Mapped(document)
        self._stream = bool(document["stream"])
        self._at_once = max(ITEMS_AT_ONCE, (document["batching"] or {}).get("max_size", 1))

    @property
    def ready(self) -> bool:
        """Whether a request sent now would be taken."""
        return self._engine.ready

    @property
    def inputs(self) -> list[TensorInfo]:
        """The tensors it takes."""
        return [self._info(field) for field in self._mapped.input.fields]

    @property
    def outputs(self) -> list[TensorInfo]:
        """The tensors it answers with."""
        return [self._info(field) for field in self._mapped.output.fields]

    def check_name(self, name: str, version: str) -> None:
        """Raise NotFound unless this is the model; without a `version`, it is."""
        if name != self.name:
            raise NotFound(f"There is no model {name[:100]!r}; this is {self.name!r}.")
        if version not in ("", self.version):
            raise NotFound(f"There is no version {version[:100]!r}; this is {self.version!r}.")

    def check_offered(self) -> None:
        """Raise NotOffered for a handler that streams."""
        if self._stream:
            raise NotOffered("This handler streams its answer; use POST /invocations.")

    async def infer(
        self, inputs: Mapping[str, Tensor], wanted: Sequence[str], common: Request, answered: Answered
    ) -> Inferred:
        """Answer one request; `common` has all but the bodies. Without `wanted`, every output comes.

        `answered` gets each answer of the engine. Raises RequestError for what the engine never sees
        or cannot have meant, and Refused for what it says.
        """
        known = [field.name for field in self._mapped.output.fields]
        # An output that there is not is the caller's mistake: say so before the model runs.
        if unknown := [name for name in wanted if name not in known]:
            raise BadInput(f"There is no output {unknown[0][:100]!r}; there are {', '.join(known)}.")
        sent = sum(len(tensor.raw) for tensor in inputs.values())
        bodies, many = await aside(sent, lambda: self._mapped.calls(inputs))
        answers = await self._invoke(bodies, replace(common, accept=self._mapped.accept), answered)
        come = sum(len(answer.body) for answer in answers)
        try:
            outputs = await aside(come, lambda: self._mapped.outputs(answers, stacked=many))
        except HandlerFailed as error:
            log.error("the result is no tensor: %s", error.message, extra={"request_id": common.id})
            raise
        by_name = {tensor.name: tensor for tensor in outputs}
        order = [name for name in wanted or known if name in by_name]
        return Inferred([by_name[name] for name in order], answers[0].headers)

    async def _invoke(self, bodies: Sequence[Body], common: Request, answered: Answered) -> list[Response]:
        """Return the answers in order. Raises Refused for the first that fails; the others are cancelled."""
        answers: dict[int, Response] = {}

        async def work(pending: Iterator[tuple[int, Body]]) -> None:
            for number, (kind, data) in pending:
                request_id = f"{common.id}-{number}" if number else common.id
                request = replace(common, body=data, content_type=kind, id=request_id)
                answers[number] = answer = await self._engine.invoke(request)
                answered(answer)
                if answer.status >= 400:
                    raise Refused(answer)

        pending = iter(enumerate(bodies))
        if len(bodies) == 1:
            await work(pending)
            return [answers[0]]
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._at_once, len(bodies))):
                    group.create_task(work(pending))
        except* Refused as refused:
            first = refused.exceptions[0]
        else:
            return [answers[number] for number in range(len(bodies))]
        raise first

    def _info(self, field: Field) -> TensorInfo:
        return TensorInfo(field.name, field.datatype, self._mapped.shape(field))


async def aside(size: int, function: Callable[[], Value]) -> Value:
    """Return what `function` does, on another thread where it has much to do."""
    return await asyncio.to_thread(function) if size > ASIDE_BYTES else function()


def _reason(answer: Response) -> str:
    """Return what an engine's problem document says, with every place that is wrong."""
    if answer.content_type != PROBLEM_TYPE:
        return "The request failed inside the server."
    problem = json.loads(answer.body)
    details = [f"{error['pointer']}: {error['detail']}" for error in problem.get("errors", [])]
    return " ".join([problem["detail"], *details[1:]])
