"""Ray Serve: one replica on one CPU; `--batching wait` is @serve.batch, 32 requests or 5 ms."""

import signal
from collections.abc import Sequence
from pathlib import Path

import ray
from arguments import parse
from ray import serve
from starlette.requests import Request
from work import Row, load, plain

HERE = Path(__file__).parent


class OneByOne:
    """Without batching."""

    def __init__(self, kind: str, model: str) -> None:
        self._work = load(kind, Path(model))

    async def __call__(self, request: Request) -> dict[str, list[float]]:
        query = await request.json()
        return {"embedding": plain(self._work([query["text"]])[0])}


class Batched:
    """With Ray Serve's own batching."""

    def __init__(self, kind: str, model: str) -> None:
        self._work = load(kind, Path(model))

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.005)
    async def _embed(self, texts: list[str]) -> Sequence[Row]:
        return list(self._work(texts))

    async def __call__(self, request: Request) -> dict[str, list[float]]:
        query = await request.json()
        return {"embedding": plain(await self._embed(query["text"]))}


def main() -> None:
    given = parse()
    ray.init(
        num_cpus=1,
        include_dashboard=False,
        logging_level="warning",
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(HERE)}},
    )
    serve.start(http_options={"host": "127.0.0.1", "port": given.port})
    deployment = serve.deployment(num_replicas=1, max_ongoing_requests=128)
    service = deployment(Batched if given.batched else OneByOne)
    serve.run(service.bind(given.work, str(given.model)), route_prefix="/invocations")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
