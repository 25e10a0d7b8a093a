"""A PyTorch model exported to ONNX, and written only once its answers to real texts are the original's.

Both axes of the inputs stay free and have the same names in each, so that `preheat_handlers.onnx` runs
requests of any number of rows together. Run: python export_onnx.py OUT [--model FOLDER --texts FILE]
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import tiny
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

INPUTS = ("input_ids", "attention_mask")


class Logits(nn.Module):
    """The model with tensors in and one tensor out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def export(model: nn.Module, example: tuple[torch.Tensor, ...], longest: int, path: Path) -> None:
    """Write `model` to `path`, its weights in a file beside it, which can be mapped."""
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=longest)}
    torch.onnx.export(
        model,
        example,
        path,
        input_names=INPUTS,
        output_names=["logits"],
        dynamic_shapes=dict.fromkeys(INPUTS, axes),
        dynamo=True,
        external_data=True,
        verbose=False,
    )


def deviation(model: nn.Module, path: Path, batches: list[tuple[torch.Tensor, ...]]) -> float:
    """Return the largest difference of any answer, by the largest number in it."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch in batches:
        with torch.inference_mode():
            expected = model(*batch).numpy()
        (found,) = session.run(["logits"], {k: v.numpy() for k, v in zip(INPUTS, batch, strict=True)})
        assert found.shape == expected.shape
        worst = max(worst, float(np.abs(found - expected).max() / np.abs(expected).max()))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, help="a folder by save_pretrained")
    parser.add_argument("--texts", type=Path, help="a text on each line, as the model will be asked")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    source = given.model or tiny.make_model(given.out / "model")
    texts = given.texts.read_text().splitlines() if given.texts else tiny.make_texts(40, seed=7)
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = Logits(AutoModelForSequenceClassification.from_pretrained(source)).eval()
    parts = [
        texts[:1],
        texts[1:4],
        texts[4:20],
        *([each] for each in texts[20:]),
    ]  # other rows, other lengths
    batches = [
        tuple(tokenizer(part, padding=True, truncation=True, return_tensors="pt")[name] for name in INPUTS)
        for part in parts
        if part
    ]
    longest = model.model.config.max_position_embeddings
    with tempfile.TemporaryDirectory(dir=given.out) as folder:
        export(model, batches[1 % len(batches)], longest, Path(folder, "model.onnx"))
        worst = deviation(model, Path(folder, "model.onnx"), batches)
        if not worst <= given.tolerance:
            raise SystemExit(f"The export is off by {worst:.1e} of the largest number; nothing was written.")
        shutil.copytree(folder, given.out / "onnx")
    print(json.dumps({"deviation": worst, "batches": len(batches)}, indent=2))


if __name__ == "__main__":
    main()
