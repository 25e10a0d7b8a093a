"""BentoML: one worker; `--batching wait` is its adaptive batching, up to 32, its default latency bound."""

import os
import sys
from pathlib import Path
from typing import Any

import bentoml
from arguments import parse
from work import load, plain

KIND, MODEL = "BENCH_WORK", "BENCH_MODEL"
OPTIONS: dict[str, Any] = {
    "workers": 1,
    "traffic": {"timeout": 60},
    "logging": {"access": {"enabled": False}},
}


class Loaded:
    """What both services share."""

    def __init__(self) -> None:
        self.work = load(os.environ[KIND], Path(os.environ[MODEL]))


@bentoml.service(**OPTIONS)
class OneByOne(Loaded):
    """Without batching."""

    @bentoml.api(route="/invocations")
    def embed(self, text: str) -> dict[str, list[float]]:
        return {"embedding": plain(self.work([text])[0])}


@bentoml.service(**OPTIONS)
class Batched(Loaded):
    """With adaptive batching: a batchable endpoint takes and returns lists."""

    @bentoml.api(route="/invocations", batchable=True, max_batch_size=32)
    def embed(self, texts: list[str]) -> list[list[float]]:
        return [plain(row) for row in self.work(texts)]


def main() -> None:
    given = parse()
    os.environ |= {KIND: given.work, MODEL: str(given.model), "BENTOML_DO_NOT_TRACK": "True"}
    service = f"bentoml_app:{'Batched' if given.batched else 'OneByOne'}"
    where = ["--host", "127.0.0.1", "--port", str(given.port), "--working-dir", str(Path(__file__).parent)]
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", "serve", service, *where])


if __name__ == "__main__":
    main()
