"""Pipelines over models of two layers, made here. Torch is too large for CI, where these are skipped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.handlers import Started, context

from preheat.errors import HandlerError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from preheat_handlers.transformers import (  # noqa: E402
    FeatureExtraction,
    TextClassification,
    TextGeneration,
    TokenClassification,
)

pytestmark = pytest.mark.filterwarnings("default")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "preheat", "the", "oven", "to", "200", "degrees", "."]
SHAPE: dict[str, Any] = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 32,
}


def saved(folder: Path, model: Any) -> Path:
    """Write `model` and a tokenizer of a dozen words."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    model.eval().save_pretrained(folder)
    return folder


def bert(kind: str, **more: Any) -> Any:
    torch.manual_seed(1)
    return getattr(transformers, kind)(transformers.BertConfig(**SHAPE, **more))


def test_a_text_gets_its_classes_likeliest_first(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", bert("BertForSequenceClassification", num_labels=3))
    found = Started(TextClassification, context(tmp_path, model=folder))
    first, second = found.ask("preheat the oven", "200 degrees .")
    assert {label["label"] for label in first} == {"LABEL_0", "LABEL_1", "LABEL_2"}
    assert sum(label["score"] for label in first) == pytest.approx(1)
    assert first[0]["score"] >= first[1]["score"]
    assert first != second


def test_spans_are_parts_of_the_text(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", bert("BertForTokenClassification", num_labels=2))
    text = "preheat the oven"
    spans = Started(TokenClassification, context(tmp_path, model=folder)).ask(text)
    assert spans
    assert all(span["text"] == text[span["start"] : span["end"]] for span in spans)


def test_vectors_have_unit_length_and_do_not_depend_on_company(tmp_path: Path) -> None:
    found = Started(FeatureExtraction, context(tmp_path, model=saved(tmp_path / "model", bert("BertModel"))))
    alone = found.ask("preheat the oven")
    together = found.ask("preheat the oven", "preheat the oven to 200 degrees .")
    assert np.linalg.norm(alone) == pytest.approx(1)
    assert np.allclose(alone, together[0], atol=1e-6)


def test_a_text_goes_on(tmp_path: Path) -> None:
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=len(WORDS), n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=2, eos_token_id=3
    )
    folder = saved(tmp_path / "model", transformers.GPT2LMHeadModel(config))
    answer = Started(TextGeneration, context(tmp_path, model=folder)).ask(
        {"text": "preheat", "max_tokens": 4}
    )
    assert isinstance(answer, str)


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", bert("BertModel"))
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(HandlerError, match=r"has no \.safetensors file; a pickle runs"):
        Started(FeatureExtraction, context(tmp_path, model=folder))
