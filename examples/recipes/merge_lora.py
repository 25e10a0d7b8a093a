"""A LoRA adapter merged into its base model by peft: one plain model to serve, which needs no peft.

Run: python merge_lora.py OUT [--model FOLDER --adapter FOLDER]
"""

import argparse
import json
from pathlib import Path

import tiny
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

TOLERANCE = 1e-4
"""How far an answer may move, by the largest number in it: merging adds up in another order."""
HEADS = (".classifier.weight", ".classifier.out_proj.weight", ".score.weight")
"""What peft saves whole of a text classifier: a row for each label. Add your model's."""


def make_adapter(source: Path, folder: Path) -> Path:
    """Train an adapter for a few steps, so that there is one to merge."""
    tokenizer = AutoTokenizer.from_pretrained(source)
    texts = tiny.make_texts(64, seed=3)
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    labels = torch.tensor(["hot" in text.split() for text in texts]).long()
    torch.manual_seed(3)
    config = LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=["query", "value"])
    model = get_peft_model(AutoModelForSequenceClassification.from_pretrained(source), config)
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=1e-2)
    for _ in range(10):
        optimizer.zero_grad()
        model(**inputs, labels=labels).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder


def load_base(source: Path, adapter: Path) -> nn.Module:
    """Return the base with as many labels as the adapter has, which brings a head of its own for them."""
    with safe_open(adapter / "adapter_model.safetensors", "pt") as file:
        heads = [name for name in file.keys() if name.endswith(HEADS) and "lora_" not in name]  # noqa: SIM118
        labels = {"num_labels": file.get_slice(heads[0]).get_shape()[0]} if heads else {}
    found: nn.Module = AutoModelForSequenceClassification.from_pretrained(
        source, ignore_mismatched_sizes=True, **labels
    )
    return found.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, help="the base: a folder by save_pretrained")
    parser.add_argument("--adapter", type=Path, help="the adapter: a folder by peft's save_pretrained")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    source = given.model or tiny.make_model(given.out / "model")
    adapter = given.adapter or make_adapter(source, given.out / "adapter")
    tokenizer = AutoTokenizer.from_pretrained(source)
    inputs = tokenizer(tiny.make_texts(16, seed=4), padding=True, truncation=True, return_tensors="pt")

    base = load_base(source, adapter)
    with torch.inference_mode():
        without = base(**inputs).logits
    adapted = PeftModel.from_pretrained(base, adapter).eval()
    with torch.inference_mode():
        expected = adapted(**inputs).logits
    adapted.merge_and_unload().save_pretrained(given.out / "merged")
    tokenizer.save_pretrained(given.out / "merged")

    merged = AutoModelForSequenceClassification.from_pretrained(given.out / "merged").eval()
    with torch.inference_mode():
        found = merged(**inputs).logits
    apart = float((found - expected).abs().max() / expected.abs().max())
    if apart > TOLERANCE:
        raise SystemExit(f"The merged model is off by {apart:.1e} of the largest number; {TOLERANCE} may be.")
    report = {
        "deviation": apart,
        "adapter_changes": float((expected - without).abs().max()),
        "parameters": sum(each.numel() for each in merged.parameters()),
        "labels": found.argmax(1).tolist(),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
