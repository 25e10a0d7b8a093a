"""LitServe: one worker, one API server; `--batching wait` is its own batching, 32 requests or 5 ms."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import litserve
from arguments import parse
from work import Row, Work, load, plain


class Api(litserve.LitAPI):
    """Decodes, computes, encodes: in the worker process, as LitServe does it."""

    def __init__(self, kind: str, model: Path, **options: Any) -> None:
        super().__init__(**options)
        self._kind = kind
        self._model = model
        self._work: Work | None = None

    def setup(self, device: str) -> None:
        self._work = load(self._kind, self._model)

    def decode_request(self, request: dict[str, str]) -> str:
        return request["text"]

    def predict(self, x: str | list[str]) -> Row | Sequence[Row]:
        assert self._work is not None
        return self._work([x])[0] if isinstance(x, str) else self._work(x)

    def batch(self, inputs: list[str]) -> list[str]:
        return list(inputs)

    def unbatch(self, output: Sequence[Row]) -> list[Row]:
        return list(output)

    def encode_response(self, output: Row) -> dict[str, list[float]]:
        return {"embedding": plain(output)}


def main() -> None:
    given = parse()
    options = {"max_batch_size": 32, "batch_timeout": 0.005} if given.batched else {}
    api = Api(given.work, given.model, api_path="/invocations", **options)
    server = litserve.LitServer(api, accelerator="cpu", devices=1, workers_per_device=1, timeout=60)
    server.run(
        host="127.0.0.1",
        port=given.port,
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
