"""`handler = "preheat_handlers.transformers:TextClassification"` and weights `model`: a folder with a model.

One class for each task: the pipeline of transformers over local files. Weights are read from safetensors,
which are mapped; a folder that has them only as a pickle is refused. Nothing is fetched when it runs.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import preheat
from preheat.errors import BadInput, HandlerError
from preheat_handlers.transformers.folder import find_folder, load_model, load_tokenizer, require_padding

QUIET = ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS")


class _Pipeline(preheat.Handler):
    """A pipeline of `task` over the class `auto` of transformers; `options` go to each call of it."""

    weights: ClassVar[str] = "model"
    task: ClassVar[str]
    auto: ClassVar[str]
    spare: ClassVar[tuple[str, ...]] = ()
    """Parts of the model that no answer needs, so that a file may lack them."""
    options: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    together: ClassVar[bool] = True
    """Whether texts run together, so that the shorter ones are filled up."""

    pipeline: Any

    def setup(self, ctx: preheat.Context) -> None:
        """Load the model and its tokenizer."""
        for name in QUIET:
            os.environ[name] = "1"
        folder = find_folder(ctx, self.weights, owner=type(self).__name__)
        try:
            import torch
            import transformers
        except ModuleNotFoundError as exc:
            raise HandlerError(
                f"There is no module {exc.name!r}, which {type(self).__name__} needs.",
                hint='requirements = ["torch", "transformers"]  # in preheat.toml',
            ) from exc
        torch.set_num_threads(max(1, int(ctx.cpus)))
        model = load_model(folder, self.auto, task=self.task, spare=self.spare)
        tokenizer = load_tokenizer(folder)
        if self.together:
            require_padding(folder, model, tokenizer)
        positions = getattr(model.config, "max_position_embeddings", tokenizer.model_max_length)
        tokenizer.model_max_length = min(positions, tokenizer.model_max_length)  # some files name none
        self.pipeline = transformers.pipeline(self.task, model=model, tokenizer=tokenizer, device="cpu")

    def defaults(self) -> Mapping[str, Any]:
        """Return what each call of the pipeline gets unless `options` say otherwise."""
        return {}

    def run(self, texts: list[str], **more: Any) -> list[Any]:
        """Return what the pipeline says of each text."""
        import torch

        with torch.inference_mode():
            options = {"batch_size": len(texts), **self.defaults(), **more, **self.options}
            found: list[Any] = self.pipeline(texts, **options)
        return found

    def examples(self) -> Sequence[Any]:
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
    auto = "AutoModelForSequenceClassification"

    def defaults(self) -> Mapping[str, Any]:
        """Ask for every class, of what fits of a text."""
        return {"top_k": None, "truncation": True}

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
    """Names and other spans in a text; one that is too long for the model is read in parts that overlap."""

    task = "token-classification"
    auto = "AutoModelForTokenClassification"

    def defaults(self) -> Mapping[str, Any]:
        """Put tokens together, over parts of which a quarter overlaps."""
        return {"aggregation_strategy": "simple", "stride": self.pipeline.tokenizer.model_max_length // 4}

    @preheat.batched(max_size=32, size=_size)
    def predict(self, texts: list[str]) -> list[list[Span]]:
        """Find spans in texts."""
        return [
            [_span(each, text) for each in found] for found, text in zip(self.run(texts), texts, strict=True)
        ]


class FeatureExtraction(_Pipeline):
    """One vector for a text: the mean over its tokens, of unit length."""

    task = "feature-extraction"
    auto = "AutoModel"
    spare = ("pooler",)

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
    auto = "AutoModelForCausalLM"
    together = False

    def defaults(self) -> Mapping[str, Any]:
        """Take the likeliest token each time, and leave the prompt out."""
        return {"do_sample": False, "return_full_text": False}

    def predict(self, prompt: Prompt) -> str:
        """Go on with a text. Raises BadInput where it and what follows do not fit into the model."""
        tokenizer = self.pipeline.tokenizer
        tokens, most = len(tokenizer(prompt.text).input_ids), tokenizer.model_max_length
        if tokens + prompt.max_tokens > most:
            raise BadInput(
                f"The text has {tokens} tokens; with max_tokens={prompt.max_tokens} that is more than the "
                f"{most} which fit."
            )
        ((found,),) = self.run([prompt.text], max_new_tokens=prompt.max_tokens)
        return str(found["generated_text"])

    def examples(self) -> Sequence[Any]:
        """Return a prompt that is answered by one token."""
        return [Prompt("Hello", max_tokens=1)]


def _span(found: dict[str, Any], text: str) -> Span:
    start, end = int(found["start"]), int(found["end"])
    return Span(found["entity_group"], float(found["score"]), start, end, text[start:end])
