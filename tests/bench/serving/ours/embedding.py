"""Sentence embeddings with the model and the code that every contender uses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from work import Embedding

import preheat


@dataclass
class Query:
    text: str


@dataclass
class Answer:
    embedding: Annotated[NDArray[np.float32], preheat.Tensor("float32", (384,))]


class Embedder(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self._embed = Embedding(ctx.weights["model"], ctx.weights["tokenizer"])

    @preheat.batched(max_size=32, max_wait_ms=5)
    def predict(self, queries: list[Query]) -> list[Answer]:
        return [Answer(row) for row in self._embed([query.text for query in queries])]

    def examples(self) -> Iterable[Query]:
        return [Query("the old cat walks to the garden")]


class Grouped(Embedder):
    """Batches hold texts of similar length; words stand for tokens, which only the model's thread counts."""

    @preheat.batched(max_size=32, max_wait_ms=5, size=lambda query: query.text.count(" "))
    def predict(self, queries: list[Query]) -> list[Answer]:
        return super().predict(queries)
