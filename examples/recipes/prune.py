"""Pruning by torch.nn.utils.prune: single weights set to zero, or whole neurons taken out.

Zeros alone make nothing faster: a dense product multiplies by them too, and the file stays as large until it
is compressed. Neurons that are taken out make the matrices smaller.
Run: python prune.py OUT [--model FOLDER --texts FILE]
"""

import argparse
import copy
import gzip
import json
from pathlib import Path

import tiny
import torch
from layers import feed_forward_of, layers_of
from torch import nn
from torch.nn.utils import prune
from transformers import AutoModelForSequenceClassification, AutoTokenizer

TOLERANCE = 1e-4
"""How far an answer may be from the masked model's, by the largest number in it."""


def zero_weights(model: nn.Module, share: float) -> nn.Module:
    """Set the `share` of weights that are nearest to zero, over all layers of the encoder, to zero."""
    pruned = copy.deepcopy(model)
    linear = [(each, "weight") for each in layers_of(pruned).modules() if isinstance(each, nn.Linear)]
    prune.global_unstructured(linear, pruning_method=prune.L1Unstructured, amount=share)
    for layer, name in linear:
        prune.remove(layer, name)
    return pruned


def mask_neurons(model: nn.Module, share: float) -> nn.Module:
    """Zero the `share` of neurons of each feed-forward layer whose weights have the smallest norm."""
    masked = copy.deepcopy(model)
    wide, _, _ = feed_forward_of(masked)
    for layer in layers_of(masked):
        widening = layer.get_submodule(wide)
        prune.ln_structured(widening, "weight", amount=share, n=2, dim=0)
        prune.custom_from_mask(widening, "bias", widening.weight_mask.any(dim=1))
    return masked


def take_out(masked: nn.Module) -> nn.Module:
    """Take out of the model the neurons that `mask_neurons` zeroed: they give 0 to what follows."""
    wide, narrow, size = feed_forward_of(masked)
    for layer in layers_of(masked):
        widening, narrowing = layer.get_submodule(wide), layer.get_submodule(narrow)
        kept = widening.weight_mask.any(dim=1)
        prune.remove(widening, "weight")
        prune.remove(widening, "bias")
        layer.set_submodule(wide, dense(widening.weight[kept], widening.bias[kept]))
        layer.set_submodule(narrow, dense(narrowing.weight[:, kept], narrowing.bias))
        setattr(masked.config, size, int(kept.sum()))
    return masked


def dense(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    """Return a layer with these weights."""
    rows, columns = weight.shape
    made = nn.Linear(columns, rows)
    made.weight, made.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, help="a folder by save_pretrained")
    parser.add_argument("--texts", type=Path, help="a text on each line, as the model will be asked")
    parser.add_argument("--share", type=float, default=0.25)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    source = given.model or tiny.make_model(given.out / "model")
    texts = given.texts.read_text().splitlines() if given.texts else tiny.make_texts(64, seed=2)
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForSequenceClassification.from_pretrained(source).eval()
    inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")

    masked = mask_neurons(model, given.share)
    with torch.inference_mode():
        expected = masked(**inputs).logits
    variants = {"original": model, "zeros": zero_weights(model, given.share), "neurons": take_out(masked)}
    with torch.inference_mode():
        answers = {name: each(**inputs).logits for name, each in variants.items()}
    apart = float((answers["neurons"] - expected).abs().max() / expected.abs().max())
    if apart > TOLERANCE:
        raise SystemExit(f"Taking neurons out moved an answer by {apart:.1e} of the largest number.")
    report: dict[str, object] = {"deviation": apart}
    for name, each in variants.items():
        each.save_pretrained(given.out / name)
        tokenizer.save_pretrained(given.out / name)
        data = (given.out / name / "model.safetensors").read_bytes()
        linear = [part.weight for part in layers_of(each).modules() if isinstance(part, nn.Linear)]
        report[name] = {
            "parameters": sum(parameter.numel() for parameter in each.parameters()),
            "zeros": sum(int((weight == 0).sum()) for weight in linear) / sum(map(torch.numel, linear)),
            "bytes": len(data),
            "gzip_bytes": len(gzip.compress(data, 6)),
            "same_label": float((answers[name].argmax(1) == answers["original"].argmax(1)).float().mean()),
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
