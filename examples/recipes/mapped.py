"""A handler whose PyTorch model is mapped from safetensors: no second copy in memory, and no pickle.

The module is made on torch's `meta` device, where weights take neither memory nor time, and then gets the
mapped ones. Pages come from the disk when they are first needed, and processes on one machine share them.
`python mapped.py model.safetensors` writes weights for it; preheat.toml is in docs/recipes.md.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

import preheat

COLUMNS, CLASSES = 16, 3


class Network(nn.Module):
    """Your model; here a perceptron with one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(COLUMNS, 256), nn.ReLU(), nn.Linear(256, CLASSES))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layers(rows).softmax(dim=-1)


def load_mapped(build: Callable[[], nn.Module], path: Path) -> nn.Module:
    """Return what `build` makes, with the weights in `path`. Raises ValueError where some are not there."""
    with torch.device("meta"):
        model = build()
    model.load_state_dict(load_file(path), assign=True)
    every = (*model.named_parameters(), *model.named_buffers())
    if empty := [name for name, tensor in every if tensor.is_meta]:
        raise ValueError(f"{path.name} has no {', '.join(empty)}: register them as persistent buffers")
    return model.eval()


@dataclass
class Row:
    """One row of numbers."""

    values: list[float]

    def __post_init__(self) -> None:
        if len(self.values) != COLUMNS:
            raise ValueError(f"there are {len(self.values)} values, and a row has {COLUMNS}")


class Classifier(preheat.Handler):
    """The probability of each class for a row."""

    def setup(self, ctx: preheat.Context) -> None:
        torch.set_num_threads(max(1, int(ctx.cpus)))
        self.model = load_mapped(Network, ctx.weights["model"])

    @preheat.batched(max_size=64)
    def predict(self, rows: list[Row]) -> list[list[float]]:
        with torch.inference_mode():  # nothing is kept for gradients
            found: list[list[float]] = self.model(torch.tensor([row.values for row in rows])).tolist()
        return found

    def examples(self) -> list[Row]:
        return [Row([0.0] * COLUMNS)]


if __name__ == "__main__":
    torch.manual_seed(8)
    save_file(Network().state_dict(), sys.argv[1])
