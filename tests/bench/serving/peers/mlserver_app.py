"""MLServer in one process (parallel_workers 0); `--batching wait` is its adaptive batching, 32 or 5 ms.

It speaks the Open Inference Protocol: a text is a BYTES tensor, the vector an FP32 one.
"""

import asyncio
import os
from pathlib import Path

import numpy as np
from arguments import Arguments, parse
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.settings import ModelParameters
from mlserver.types import InferenceRequest, InferenceResponse
from work import Work, load

KIND, MODEL = "BENCH_WORK", "BENCH_MODEL"


class Embedder(MLModel):
    """Any number of texts in, a matrix out."""

    _work: Work

    async def load(self) -> bool:
        self._work = load(os.environ[KIND], Path(os.environ[MODEL]))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        texts = StringCodec.decode_input(payload.inputs[0])
        vectors = np.asarray(self._work(texts), dtype=np.float32)
        output = NumpyCodec.encode_output("embedding", vectors)
        return InferenceResponse(model_name=self.name, outputs=[output])


async def serve(given: Arguments) -> None:
    settings = Settings(
        host="127.0.0.1",
        http_port=given.port,
        grpc_port=given.port + 1,
        metrics_endpoint=None,
        parallel_workers=0,
        debug=False,
        load_models_at_startup=False,
    )
    model = ModelSettings(
        name="embedder",
        implementation=Embedder,
        parameters=ModelParameters(version="1"),
        max_batch_size=32 if given.batched else 0,
        max_batch_time=0.005 if given.batched else 0,
    )
    await MLServer(settings).start([model])


def main() -> None:
    given = parse()
    os.environ |= {KIND: given.work, MODEL: str(given.model)}
    asyncio.run(serve(given))


if __name__ == "__main__":
    main()
