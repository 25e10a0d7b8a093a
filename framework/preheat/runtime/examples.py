"""A handler's examples through an engine, from encoded input to decoded answer, as a caller sees them."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from preheat.errors import HandlerError
from preheat.interface.body import encode_body
from preheat.interface.contract import HandlerContract
from preheat.interface.message import JSON_TYPE, Engine, Request, Response
from preheat.runtime.streams import LINES_TYPE


async def run_examples(
    engine: Engine, contract: HandlerContract, examples: Iterable[Any]
) -> tuple[list[Any], list[Any]]:
    """Return the examples and their answers as JSON values. Raises HandlerError for the first that fails.

    Each example runs alone, then all together, so that a batched predict sees a batch, and a
    threaded one calls from all its threads. The answers of a stream are lists of its items.
    """
    bodies = [encode_body(contract.input, example, JSON_TYPE)[1] for example in examples]
    answers = [await _answer(engine, contract, index, body) for index, body in enumerate(bodies)]
    if contract.batching or contract.threads > 1:
        together = list(enumerate(bodies)) * contract.threads
        await asyncio.gather(*(_answer(engine, contract, index, body) for index, body in together))
    return [json.loads(body) for body in bodies], answers


async def _answer(engine: Engine, contract: HandlerContract, index: int, body: bytes) -> Any:
    accept = LINES_TYPE if contract.is_stream else JSON_TYPE
    response = await engine.invoke(Request(id=f"example-{index}", body=body, accept=accept))
    content = await _content(response)
    if response.status != 200:
        problem = json.loads(content)
        pointers = "".join(f"\n  {at['pointer']}: {at['detail']}" for at in problem.get("errors", ()))
        raise HandlerError(
            f"examples()[{index}] was answered {response.status}: {problem['detail']}{pointers}"
        )
    if not contract.is_stream:
        answer = json.loads(content)
        contract.output.decode(answer)
        return answer
    items = [json.loads(line) for line in content.splitlines()]
    for item in items:
        contract.output.decode(item)
    return items


async def _content(response: Response) -> bytes:
    if response.chunks is None:
        return response.body
    return b"".join([chunk async for chunk in response.chunks])
