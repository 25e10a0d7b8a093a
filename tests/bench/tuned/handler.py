"""Sentence embeddings by a float32 model of 69 MB, whose graph pools the tokens itself."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

import preheat
from preheat_handlers.onnx import open_session

EMBEDDING = "461"
"""What the exporter called the output that is a vector a sentence."""
SENTENCES = (
    "Preheat the oven to 200 degrees.",
    "The train to the coast leaves at noon.",
    "A cold start is the time from nothing to the first answer.",
    "She plays the cello in the city orchestra.",
    "Interest rates were left unchanged on Thursday.",
    "How do I reset my password?",
    "The bridge has been closed since the flood.",
    "Two dogs are running through the snow.",
)


class Embedder(preheat.Handler):
    """One sentence to its vector."""

    def setup(self, ctx: preheat.Context) -> None:
        self.session = open_session(ctx.weights["model"], cpus=ctx.cpus)
        self.tokenizer = Tokenizer.from_file(str(ctx.weights["tokenizer"]))
        self.tokenizer.no_padding()

    def predict(self, text: str) -> Annotated[NDArray[np.float32], preheat.Tensor("float32", (384,))]:
        ids = np.array([self.tokenizer.encode(text).ids], dtype=np.int64)
        (vectors,) = self.session.run([EMBEDDING], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        vector: NDArray[np.float32] = vectors[0]
        return vector

    def examples(self) -> list[str]:
        return list(SENTENCES)
