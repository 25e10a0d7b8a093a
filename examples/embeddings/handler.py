"""Turn sentences into vectors that are close when the meanings are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

import preheat
from preheat_handlers.onnx import opening

MAX_TOKENS = 256
"""The length all-MiniLM-L6-v2 was trained for; longer text is cut."""


@dataclass
class Query:
    """One sentence or short paragraph."""

    text: str


@dataclass
class Embedding:
    """384 numbers of unit length; the dot product of two is the cosine of their meanings."""

    vector: Annotated[NDArray[np.float32], preheat.Tensor("float32", (384,))]


def length(query: Query) -> int:
    """Stand in for the number of tokens: texts of similar length run together, so that padding is rare."""
    return min(len(query.text), 4 * MAX_TOKENS)


class Embedder(preheat.Handler):
    """Sentence embeddings with all-MiniLM-L6-v2."""

    model = opening("model")  # begins here, and is made while the tokenizer is read

    def setup(self, ctx: preheat.Context) -> None:
        self.tokenizer = Tokenizer.from_file(str(ctx.weights["tokenizer"]))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        # The published tokenizer pads to 128 tokens whatever the sentence; pad to the longest of the batch.
        self.tokenizer.enable_padding()
        self.session = self.model.session(ctx)

    @preheat.batched(max_size=32, max_wait_ms=5, size=length)
    def predict(self, queries: list[Query]) -> list[Embedding]:
        encoded = self.tokenizer.encode_batch([query.text for query in queries])
        ids = np.array([item.ids for item in encoded], dtype=np.int64)
        mask = np.array([item.attention_mask for item in encoded], dtype=np.int64)
        (hidden,) = self.session.run(
            ["last_hidden_state"],
            {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)},
        )
        return [Embedding(vector) for vector in pool(hidden, mask)]

    def examples(self) -> Iterable[Query]:
        return [Query("Preheat the oven to 200 degrees.")]


def pool(hidden: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean over each sentence's tokens, scaled to unit length: (batch, 384).

    The pooling of Reimers and Gurevych, "Sentence-BERT" (EMNLP 2019). `hidden` is (batch, tokens, 384).
    """
    weights = mask[:, :, None].astype(np.float32)
    mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    unit: NDArray[np.float32] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return unit
