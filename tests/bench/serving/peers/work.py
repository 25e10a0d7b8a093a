"""The work that every contender does, so that only the serving differs: texts in, one vector for each out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Row = Any
"""A list of floats, or a row of a float32 array."""
Work = Callable[[Sequence[str]], Sequence[Row]]

MAX_TOKENS = 256


def no_op(texts: Sequence[str]) -> Sequence[Row]:
    """Return the length of each text: what is measured is everything else."""
    return [[float(len(text))] for text in texts]


class Embedding:
    """all-MiniLM-L6-v2 in float32 on one thread."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        # The published tokenizer pads to 128 tokens whatever the text; pad to the longest of the batch.
        self._tokenizer.enable_padding()

    def __call__(self, texts: Sequence[str]) -> Sequence[Row]:
        """Return a float32 array of (texts, 384)."""
        import numpy as np

        encoded = self._tokenizer.encode_batch(list(texts))
        feeds = {
            "input_ids": np.array([item.ids for item in encoded], np.int64),
            "attention_mask": np.array([item.attention_mask for item in encoded], np.int64),
        }
        (vectors,) = self._session.run(["embedding"], feeds)
        rows: Sequence[Row] = vectors
        return rows


def load(kind: str, folder: Path) -> Work:
    """Return the work named `kind`: `noop` or `embedding`, the latter with the model in `folder`."""
    return no_op if kind == "noop" else Embedding(folder / "minilm.onnx", folder / "tokenizer.json")


def plain(row: Row) -> list[float]:
    """Return `row` as Python floats, for a JSON writer that knows no arrays."""
    numbers: list[float] = row if isinstance(row, list) else row.tolist()
    return numbers
