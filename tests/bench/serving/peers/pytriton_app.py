"""pytriton: Triton's own HTTP front; `--batching wait` is its DynamicBatcher, 32 requests or 5 ms.

It speaks the Open Inference Protocol: a text is a BYTES tensor of shape (1, 1), the vector an FP32 one.
"""

import numpy as np
from arguments import parse
from numpy.typing import NDArray
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig
from work import load


def main() -> None:
    given = parse()
    work = load(given.work, given.model)

    @batch
    def embed(text: NDArray[np.bytes_]) -> dict[str, NDArray[np.float32]]:
        texts = [row[0].decode() for row in text]
        return {"embedding": np.asarray(work(texts), dtype=np.float32)}

    batcher = DynamicBatcher(max_queue_delay_microseconds=5000) if given.batched else None
    options = {"batcher": batcher} if batcher else {}
    config = TritonConfig(
        http_address="127.0.0.1",
        http_port=given.port,
        grpc_port=given.port + 1,
        allow_grpc=False,
        allow_metrics=False,
        log_verbose=0,
    )
    with Triton(config=config) as triton:
        triton.bind(
            model_name="embedder",
            infer_func=embed,
            inputs=[Tensor(name="text", dtype=bytes, shape=(1,))],
            outputs=[Tensor(name="embedding", dtype=np.float32, shape=(-1,))],
            config=ModelConfig(batching=True, max_batch_size=32 if given.batched else 1, **options),
        )
        triton.serve()


if __name__ == "__main__":
    main()
