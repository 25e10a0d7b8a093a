"""Distillation: a student of fewer layers learns to answer as its teacher does, from texts without labels.

The loss is the divergence of the two answers at a raised temperature, of Hinton and others, "Distilling the
Knowledge in a Neural Network" (2015), section 2. Run: python distill.py OUT [--model FOLDER --texts FILE]
"""

import argparse
import copy
import json
from pathlib import Path

import tiny
import torch
from layers import find_layers
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

TEMPERATURE = 2.0
HELD = 5
"""One text in so many is not learned from."""


def student_of(teacher: nn.Module, layers: int) -> nn.Module:
    """Return a model of `layers` layers, which are evenly spaced ones of the teacher's."""
    student = copy.deepcopy(teacher)
    part, name = find_layers(student)
    found = getattr(part, name)
    chosen = [round(index * (len(found) - 1) / max(1, layers - 1)) for index in range(layers)]
    setattr(part, name, nn.ModuleList(found[index] for index in chosen))
    student.config.num_hidden_layers = layers
    return student


def divergence(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return how far the student's answers are from the teacher's; the square keeps gradients alike."""
    log = nn.functional.log_softmax(student / temperature, dim=-1)
    known = nn.functional.softmax(teacher / temperature, dim=-1)
    return nn.functional.kl_div(log, known, reduction="batchmean") * temperature**2


def compared(student: nn.Module, teacher: nn.Module, inputs: dict[str, torch.Tensor]) -> dict[str, float]:
    """Return how far the student is from the teacher on texts that it has not learned from."""
    with torch.inference_mode():
        said, known = student.eval()(**inputs).logits, teacher(**inputs).logits
    same = (said.argmax(1) == known.argmax(1)).float().mean()
    return {"divergence": float(divergence(said, known, 1.0)), "same_label": float(same)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, help="the teacher: a folder by save_pretrained")
    parser.add_argument("--texts", type=Path, help="a text on each line, as the model will be asked")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--steps", type=int, default=150)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    source = given.model or tiny.make_model(given.out / "model")
    texts = given.texts.read_text().splitlines() if given.texts else tiny.make_texts(640, seed=5)
    if len(texts) < HELD:
        raise SystemExit(f"There are {len(texts)} texts, of which one in {HELD} is kept aside: take more.")
    tokenizer = AutoTokenizer.from_pretrained(source)
    teacher = AutoModelForSequenceClassification.from_pretrained(source).eval()
    held = len(texts) // HELD
    unseen = tokenizer(texts[:held], padding=True, truncation=True, return_tensors="pt")

    torch.manual_seed(6)
    student = student_of(teacher, given.layers)
    before = compared(student, teacher, unseen)
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-3)
    for step in range(given.steps):
        start = held + 32 * step % (len(texts) - held)
        batch = tokenizer(texts[start : start + 32], padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            known = teacher(**batch).logits
        optimizer.zero_grad()
        divergence(student.train()(**batch).logits, known, TEMPERATURE).backward()
        optimizer.step()

    student.eval().save_pretrained(given.out / "student")
    tokenizer.save_pretrained(given.out / "student")
    report = {
        "before": before,
        "after": compared(student, teacher, unseen),
        "parameters": {
            name: sum(each.numel() for each in model.parameters())
            for name, model in {"teacher": teacher, "student": student}.items()
        },
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
