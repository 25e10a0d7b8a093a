"""`handler = "preheat_handlers.transformers:TextClassification"` and weights `model`: a folder with a model.

One class for each task: the pipeline of transformers over local files. Weights are read from safetensors,
which are mapped; a folder that has them only as a pickle is refused. Nothing is fetched when it runs.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import preheat
from preheat.errors import HandlerError

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")


class _Pipeline(preheat.Handler):
    """A pipeline of `task`; `options` go to each call of it."""

    weights: ClassVar[str] = "model"
    task: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    pipeline: Any

    def setup(self, ctx: preheat.Context) -> None:
        """Load the model, its tokenizer, and warm nothing."""
        for name in OFFLINE:
            os.environ[name] = "1"
        folder = _folder(type(self), ctx)
        import torch
        from transformers import pipeline

        torch.set_num_threads(max(1, int(ctx.cpus)))
        try:
            self.pipeline = pipeline(
                self.task,
                model=str(folder),
                device="cpu",
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError) as exc:
            raise HandlerError(f"{folder.name} does not load for {self.task}: {exc}") from exc

    def run(self, texts: list[str]) -> list[Any]:
        """Return what the pipeline says of each text."""
        import torch

        with torch.inference_mode():
            found: list[Any] = self.pipeline(texts, batch_size=len(texts), **self.options)
        return found

    def examples(self) -> Sequence[str]:
        """Return one short text."""
        return ["Preheat the oven to 200 degrees."]


def _size(text: str) -> int:
    return len(text)


@dataclass
class Label:
    """A class with its probability."""

    label: str
    score: float


class TextClassification(_Pipeline):
    """The classes of a text, likeliest first."""

    task = "text-classification"
    options: ClassVar[dict[str, Any]] = {"top_k": None, "truncation": True}

    @preheat.batched(max_size=32, size=_size)
    def predict(self, texts: list[str]) -> list[list[Label]]:
        """Classify texts."""
        return [[Label(each["label"], each["score"]) for each in found] for found in self.run(texts)]


@dataclass
class Span:
    """A part of the text, by characters, with its class."""

    label: str
    score: float
    start: int
    end: int
    text: str


class TokenClassification(_Pipeline):
    """Names and other spans in a text."""

    task = "token-classification"
    options: ClassVar[dict[str, Any]] = {"aggregation_strategy": "simple"}

    @preheat.batched(max_size=32, size=_size)
    def predict(self, texts: list[str]) -> list[list[Span]]:
        """Find spans in texts."""
        return [
            [_span(each, text) for each in found] for found, text in zip(self.run(texts), texts, strict=True)
        ]


class FeatureExtraction(_Pipeline):
    """One vector for a text: the mean over its tokens, of unit length."""

    task = "feature-extraction"

    @preheat.batched(max_size=32, size=_size)
    def predict(self, texts: list[str]) -> list[list[float]]:
        """Embed texts."""
        import torch

        tokenizer, model = self.pipeline.tokenizer, self.pipeline.model
        with torch.inference_mode():
            given = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
            hidden = model(**given).last_hidden_state
            mask = given["attention_mask"].unsqueeze(-1)
            mean = (hidden * mask).sum(1) / mask.sum(1)
            vectors: list[list[float]] = torch.nn.functional.normalize(mean).tolist()
        return vectors


@dataclass
class Prompt:
    """The text to go on with."""

    text: str
    max_tokens: int = 64

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= 4096:
            raise ValueError(f"max_tokens is {self.max_tokens}, and may be 1 to 4096")


class TextGeneration(_Pipeline):
    """The likeliest text that follows another."""

    task = "text-generation"

    def predict(self, prompt: Prompt) -> str:
        """Go on with a text."""
        import torch

        with torch.inference_mode():
            (found,) = self.pipeline(
                prompt.text, max_new_tokens=prompt.max_tokens, do_sample=False, return_full_text=False
            )
        return str(found["generated_text"])

    def examples(self) -> Sequence[Any]:
        """Return a prompt that is answered by one token."""
        return [Prompt("Hello", max_tokens=1)]


def _span(found: dict[str, Any], text: str) -> Span:
    start, end = int(found["start"]), int(found["end"])
    return Span(found["entity_group"], float(found["score"]), start, end, text[start:end])


def _folder(cls: type[_Pipeline], ctx: preheat.Context) -> Path:
    """Return the folder of the model. Raises HandlerError where it has no safetensors."""
    if cls.weights not in ctx.weights:
        raise HandlerError(
            f"{cls.__name__} has no weights {cls.weights!r}.",
            hint=f'[weights.{cls.weights}]\nsource = "file:model"  # a folder by save_pretrained("model")',
        )
    folder = ctx.weights[cls.weights]
    if not (folder / "config.json").is_file():
        raise HandlerError(
            f"{folder.name} has no config.json.",
            hint='model.save_pretrained("model"); tokenizer.save_pretrained("model")',
        )
    if not any(folder.glob("*.safetensors")):
        raise HandlerError(
            f"{folder.name} has no .safetensors file; a pickle runs whatever its writer put into it.",
            hint='model.save_pretrained("model")  # writes safetensors',
        )
    return folder
