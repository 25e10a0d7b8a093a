"""FastAPI as most people write it: pydantic in, pydantic out, on uvicorn with uvloop and httptools.

`--batching none` computes in the `async def` endpoint. `--batching wait` is the queue that people add by
hand: the first request waits up to 5 ms for others, up to 32 run together on one thread.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import uvicorn
from arguments import parse
from fastapi import FastAPI
from pydantic import BaseModel
from work import Row, Work, load, plain

MAX_BATCH, MAX_WAIT_S = 32, 0.005


class Query(BaseModel):
    text: str


class Answer(BaseModel):
    embedding: list[float]


class Batches:
    """A queue, and one task that takes batches from it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._executor = ThreadPoolExecutor(1)
        self._queue: asyncio.Queue[tuple[str, asyncio.Future[Row]]] = asyncio.Queue()

    async def submit(self, text: str) -> Row:
        answer: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        await self._queue.put((text, answer))
        return await answer

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._queue.get()]
            deadline = loop.time() + MAX_WAIT_S
            while len(batch) < MAX_BATCH:
                if not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                    continue
                try:
                    batch.append(await asyncio.wait_for(self._queue.get(), deadline - loop.time()))
                except TimeoutError:
                    break
            rows = await loop.run_in_executor(self._executor, self._work, [text for text, _ in batch])
            for (_, answer), row in zip(batch, rows, strict=True):
                if not answer.done():
                    answer.set_result(row)


def unbatched(work: Work) -> FastAPI:
    app = FastAPI()

    @app.post("/invocations")
    async def invocations(query: Query) -> Answer:
        return Answer(embedding=plain(work([query.text])[0]))

    return app


def batched(work: Work) -> FastAPI:
    batches = Batches(work)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runner = asyncio.create_task(batches.run())
        yield
        runner.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.post("/invocations")
    async def invocations(query: Query) -> Answer:
        return Answer(embedding=plain(await batches.submit(query.text)))

    return app


def main() -> None:
    given = parse()
    work = load(given.work, given.model)
    uvicorn.run(
        batched(work) if given.batched else unbatched(work),
        host="127.0.0.1",
        port=given.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
