"""Go on with a text, token by token, on a CPU or a GPU."""

import codecs
import os
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from decoder import Decoder, open_session
from groups import Groups
from numpy.typing import NDArray

import preheat

END = 256
"""The token after the 256 bytes: every text begins with it, and the model ends one with it."""

CONTEXT = 512
"""How many tokens the model can look back on, those that it makes included."""

TOGETHER = 16
"""How many texts are decoded together."""


@dataclass
class Prompt:
    """The text to go on with. At temperature 0, the likeliest token is taken each time."""

    text: str
    max_tokens: int = 64
    temperature: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens < CONTEXT:
            raise ValueError(f"max_tokens is {self.max_tokens}, and may be 1 to {CONTEXT - 1}")
        if not 0 <= self.temperature <= 2:
            raise ValueError(f"temperature is {self.temperature:g}, and may be 0 to 2")
        if self.seed is not None and not 0 <= self.seed < 1 << 63:
            raise ValueError(f"seed is {self.seed}, and may be 0 to 2^63 - 1")
        if (spare := len(encode(self.text)) + self.max_tokens - CONTEXT) > 0:
            raise ValueError(f"text and max_tokens are {spare} tokens more than the {CONTEXT} that fit")


class Generator(preheat.Handler):
    """Text generation, streamed; texts that come together are decoded together."""

    def setup(self, ctx: preheat.Context) -> None:
        """Read the model; a GPU is not touched before `restore`, so that this state can be a snapshot."""
        device = os.environ["DEVICE"]
        if device not in ("cpu", "cuda"):
            raise ValueError(f"DEVICE is {device!r}, and may be cpu or cuda")
        self.device: Literal["cpu", "cuda"] = "cuda" if device == "cuda" else "cpu"
        self.model = ctx.weights["model"].read_bytes()
        self.session: Any = open_session(self.model, "cpu") if self.device == "cpu" else None

    def restore(self, _ctx: preheat.Context) -> None:
        """Move to the GPU, where there is to be one."""
        if self.device == "cuda":
            self.session = open_session(self.model, "cuda")
        self.groups = Groups(Decoder(self.session, self.device), together=TOGETHER, end=END)

    async def predict(self, prompt: Prompt) -> AsyncIterator[str]:
        text = codecs.getincrementaldecoder("utf-8")("replace")  # a character may be several tokens
        tokens = self.groups.follow(encode(prompt.text), most=prompt.max_tokens, choose=chooser(prompt))
        async for token in tokens:
            if piece := text.decode(bytes([token])):
                yield piece
        if rest := text.decode(b"", final=True):
            yield rest

    def examples(self) -> Iterable[Prompt]:
        return [Prompt("one two three. one two three. one ", max_tokens=12)]


def encode(text: str) -> list[int]:
    """Return the tokens of `text`: END, then its bytes."""
    return [END, *text.encode()]


def chooser(prompt: Prompt) -> Callable[[NDArray[np.float32]], int]:
    """Return what picks a token by its logits: the largest, or one drawn by the Gumbel-max trick.

    The trick (Gumbel, 1954): the largest of logits / temperature + Gumbel noise is drawn as softmax says.
    """
    if prompt.temperature == 0:
        return lambda logits: int(logits.argmax())
    random = np.random.default_rng(prompt.seed)
    return lambda logits: int((logits / prompt.temperature + random.gumbel(size=logits.shape)).argmax())
