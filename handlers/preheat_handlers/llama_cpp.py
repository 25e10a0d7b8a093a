"""`handler = "preheat_handlers.llama_cpp:LlamaHandler"` and weights `model`: text from a GGUF file, streamed.

The file is mapped, not read, so that processes on one machine share its pages.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import preheat
from preheat.errors import BadInput, HandlerError


@dataclass
class Prompt:
    """The text to go on with, until one of `stop` comes. At temperature 0, the likeliest token is taken."""

    text: str
    max_tokens: int = 128
    temperature: float = 0.7
    seed: int | None = None
    stop: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens is {self.max_tokens}, and is 1 at least")
        if not 0 <= self.temperature <= 2:
            raise ValueError(f"temperature is {self.temperature:g}, and may be 0 to 2")
        if self.seed is not None and not 0 <= self.seed < 1 << 32:
            raise ValueError(f"seed is {self.seed}, and may be 0 to 2^32 - 1")


class LlamaHandler(preheat.Handler):
    """Text generation with llama.cpp. `context` is how many tokens a text may have, answer included."""

    weights: ClassVar[str] = "model"
    context: ClassVar[int] = 2048

    llama: Any

    def setup(self, ctx: preheat.Context) -> None:
        """Map the model."""
        from llama_cpp import Llama

        if self.weights not in ctx.weights:
            raise HandlerError(
                f"{type(self).__name__} has no weights {self.weights!r}.",
                hint=f'[weights.{self.weights}]\nsource = "file:model.gguf"',
            )
        path, threads = ctx.weights[self.weights], max(1, int(ctx.cpus))
        try:
            self.llama = Llama(
                str(path),
                n_ctx=self.context,
                n_threads=threads,
                n_threads_batch=threads,
                use_mmap=True,
                verbose=False,
            )
        except (ValueError, OSError) as exc:
            raise HandlerError(f"{path.name} does not load as a GGUF model: {exc}") from exc

    def predict(self, prompt: Prompt) -> Iterator[str]:
        """Yield the text that follows, in pieces."""
        tokens = len(self.llama.tokenize(prompt.text.encode()))
        if tokens + prompt.max_tokens > self.context:
            raise BadInput(
                f"The text has {tokens} tokens; with max_tokens={prompt.max_tokens} that is more than the "
                f"{self.context} which fit."
            )
        # Without a seed, llama-cpp-python goes on from a constant or from the request before.
        drawn = int.from_bytes(os.urandom(4), "big") if prompt.seed is None else prompt.seed
        pieces = self.llama.create_completion(
            prompt.text,
            max_tokens=prompt.max_tokens,
            temperature=prompt.temperature,
            seed=drawn,
            stop=prompt.stop,
            stream=True,
        )
        for piece in pieces:
            if text := piece["choices"][0]["text"]:
                yield text

    def teardown(self, ctx: preheat.Context) -> None:
        """Free the model."""
        del ctx
        self.llama.close()

    def examples(self) -> Sequence[Prompt]:
        """Return a prompt that is answered by one token."""
        return [Prompt("Hello", max_tokens=1, temperature=0.0)]
