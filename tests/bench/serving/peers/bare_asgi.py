"""A bare ASGI application on uvicorn with uvloop and httptools, and orjson: as little as a server can do.

`--batching none` runs the model on the event loop, request by request. `--batching eager` runs it on
one thread, on whatever queued while it ran last, up to 32: it never waits.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import uvicorn
from arguments import parse
from work import Row, Work, load

MAX_BATCH = 32
Message = dict[str, Any]
Compute = Callable[[str], Awaitable[Row]]


class EagerBatches:
    """Runs `work` on one thread, on all that queued meanwhile."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._executor = ThreadPoolExecutor(1)
        self._queued: list[tuple[str, asyncio.Future[Row]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, text: str) -> Row:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Row] = loop.create_future()
        self._queued.append((text, answer))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queued:
            batch, self._queued = self._queued[:MAX_BATCH], self._queued[MAX_BATCH:]
            rows = await loop.run_in_executor(self._executor, self._work, [text for text, _ in batch])
            for (_, answer), row in zip(batch, rows, strict=True):
                answer.set_result(row)
        self._running = None


def one_by_one(work: Work) -> Compute:
    async def compute(text: str) -> Row:
        return work([text])[0]

    return compute


def application(compute: Compute) -> Callable[..., Awaitable[None]]:
    async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        row = await compute(orjson.loads(body)["text"])
        answer = orjson.dumps({"embedding": row}, option=orjson.OPT_SERIALIZE_NUMPY)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


def main() -> None:
    given = parse()
    work = load(given.work, given.model)
    app = application(EagerBatches(work) if given.batched else one_by_one(work))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=given.port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
