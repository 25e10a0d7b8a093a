"""A handler's examples through an engine, from encoded input to decoded answer, as a caller sees them."""

import asyncio
import builtins
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from preheat.errors import HandlerError, HandlerFailed
from preheat.interface.body import encode_body
from preheat.interface.contract import HandlerContract
from preheat.interface.message import JSON_TYPE, Engine, Request, Response
from preheat.runtime.streams import LINES_TYPE


class ExampleFailed(HandlerError):
    """An example does not fit, or has no good answer; `method` is the one of the handler to look at."""

    def __init__(
        self, message: str, *, method: Literal["examples", "predict"], hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.method = method


async def run_examples(
    engine: Engine,
    contract: HandlerContract,
    examples: Iterable[Any],
    *,
    logged: Sequence[Mapping[str, Any]] = (),
) -> tuple[list[Any], list[Any]]:
    """Return the examples and their answers as JSON values. Raises ExampleFailed for the first that fails.

    Each example runs alone, then all together, so that a batched predict sees a batch, and a
    threaded one calls from all its threads. The answers of a stream are lists of its items.
    `logged` is what the engine has logged so far: what failed stands there, and not in the answer.
    """
    run = _Run(engine, contract, logged)
    bodies = [run.body(index, example) for index, example in enumerate(examples)]
    answers = [await run.answer(index, body) for index, body in enumerate(bodies)]
    if contract.batching or contract.threads > 1:
        together = list(enumerate(bodies)) * contract.threads
        await asyncio.gather(*(run.answer(index, body) for index, body in together))
    return [json.loads(body) for body in bodies], answers


class _Run:
    def __init__(
        self, engine: Engine, contract: HandlerContract, logged: Sequence[Mapping[str, Any]]
    ) -> None:
        self._engine = engine
        self._contract = contract
        self._logged = logged

    def body(self, index: int, example: Any) -> bytes:
        """Return the request's body that a caller would send for an example."""
        codec = self._contract.input
        try:
            return encode_body(codec, example, JSON_TYPE)[1]
        except HandlerFailed as unfit:
            places = [f"{f' at {at}' if at else ''}: {detail}." for at, detail in unfit.errors]
            message = f"examples()[{index}] does not fit predict's input, {codec.node.name}"
            raise ExampleFailed(message + (places or [f": {unfit.message}"])[0], method="examples") from unfit

    async def answer(self, index: int, body: bytes) -> Any:
        """Return the answer to an example as JSON values."""
        contract = self._contract
        accept = LINES_TYPE if contract.is_stream else JSON_TYPE
        request = Request(id=f"example-{index}", body=body, accept=accept)
        response = await self._engine.invoke(request)
        content = await _content(response)
        if response.status != 200:
            raise self._failed(index, request.id, response.status, json.loads(content))
        if not contract.is_stream:
            answer = json.loads(content)
            contract.output.decode(answer)
            return answer
        items = [json.loads(line) for line in content.splitlines()]
        for item in items:
            contract.output.decode(item)
        return items

    def _failed(self, index: int, request: str, status: int, problem: Mapping[str, Any]) -> ExampleFailed:
        told = (event["message"] for event in self._logged if event.get("request_id") == request)
        detail = next(told, problem["detail"])
        pointers = "".join(f"\n  {at['pointer']}: {at['detail']}" for at in problem.get("errors", ()))
        message = f"examples()[{index}] was answered {status}: {detail}{pointers}"
        return ExampleFailed(message, method="predict", hint=_remedy(detail))


def _remedy(detail: str) -> str | None:
    """Return how a result that is told of in `detail` would fit, where that is known."""
    if re.search(r"expected (list|tuple|a JSON value), got (numpy\.ndarray|torch\.Tensor)", detail):
        return "return result.tolist()"
    wanted = re.search(r"expected (\w+)(?: \| None)?, got dict", detail)
    return f"return {wanted[1]}(**result)" if wanted and not hasattr(builtins, wanted[1]) else None


async def _content(response: Response) -> bytes:
    if response.chunks is None:
        return response.body
    return b"".join([chunk async for chunk in response.chunks])
