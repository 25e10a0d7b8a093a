"""Run with torch: makes a model of two layers for each task, and answers as the handlers of transformers do.

Takes a folder to make them in; on stdin, a list of {"handler", "model", "inputs"}. Prints a list of answers,
each {"answer", "mapped"} or what the handler raised, {"message", "hint"}.
"""

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import tokenizers
import torch
import transformers
from tests.fakes.handlers import Started, context
from tests.fakes.mapped_weights import is_mapped

import preheat_handlers.transformers
from preheat.errors import PreheatError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "preheat", "the", "oven", "to", "200", "degrees", "."]
SHAPE: dict[str, Any] = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 32,
}


class Likeliest(preheat_handlers.transformers.TextClassification):
    """A subclass with an option."""

    options: ClassVar[dict[str, Any]] = {"top_k": 1}


def saved_without_padding(folder: Path, model: Any, **tokens: str) -> Path:
    """Write `model` and a tokenizer as GPT-2 has it: of `tokens`, there is none to pad with."""
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, **tokens).save_pretrained(folder)
    model.eval().save_pretrained(folder)
    return folder


def saved(folder: Path, model: Any) -> Path:
    """Write `model` and a tokenizer of a dozen words."""
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    transformers.BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)
    model.eval().save_pretrained(folder)
    return folder


def bert(kind: str, **more: Any) -> Any:
    """Return a model with random weights."""
    torch.manual_seed(1)
    return getattr(transformers, kind)(transformers.BertConfig(**SHAPE, **more))


def make_models(root: Path) -> None:
    """Make one of each kind in `root`, and one that has its weights as a pickle only."""
    saved(root / "classes", bert("BertForSequenceClassification", num_labels=3))
    saved(root / "spans", bert("BertForTokenClassification", num_labels=2))
    saved(root / "vectors", bert("BertModel"))
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=len(WORDS), n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=2, eos_token_id=3
    )
    saved(root / "text", transformers.GPT2LMHeadModel(config))
    saved_without_padding(root / "endless", transformers.GPT2Model(config))
    saved_without_padding(root / "ends", transformers.GPT2Model(config), eos_token="[SEP]")
    config.num_labels = 3
    scores = transformers.GPT2ForSequenceClassification(config)
    saved_without_padding(root / "scores", scores, eos_token="[SEP]")
    pickled = saved(root / "pickled", bert("BertModel"))
    torch.save({}, pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    (root / "empty").mkdir()
    bert("BertModel").save_pretrained(root / "mute")
    broken = saved(root / "broken", bert("BertModel"))
    (broken / "model.safetensors").write_bytes(b"cut off")


def answered(root: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the handler says, and whether its weights are mapped."""
    name = asked["handler"]
    handler = Likeliest if name == "Likeliest" else getattr(preheat_handlers.transformers, name)
    weights = {"model": root / asked["model"]} if asked["model"] else {}
    try:
        started: Any = Started(handler, context(root, **weights))
        answer = started.ask(*asked["inputs"])
        file = root / asked["model"] / "model.safetensors"
        parameters = started.handler.pipeline.model.parameters()
        return {"answer": answer, "mapped": all(is_mapped(each, file) for each in parameters)}
    except PreheatError as exc:
        return {"message": exc.message, "hint": exc.hint}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    make_models(place)
    sys.stdout.write(json.dumps([answered(place, asked) for asked in json.load(sys.stdin)]))
