"""Run with torch: says whether examples/recipes/mapped.py maps its weights and answers as a copy of them.

Takes the recipe's path and a folder to write to; prints an object of what was found.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file


def load_recipe(path: Path) -> Any:
    """Import the recipe."""
    spec = importlib.util.spec_from_file_location("recipe", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["recipe"] = module
    spec.loader.exec_module(module)
    return module


def is_mapped(tensor: torch.Tensor, path: Path) -> bool:
    """Whether the numbers of `tensor` lie where this process has `path` mapped."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(str(path)):
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if start <= tensor.data_ptr() < end:
                return True
    return False


def main(recipe: Any, folder: Path) -> dict[str, object]:
    """Compare the mapped model with one whose weights were copied into it."""
    copied = recipe.Network().eval()
    weights = folder / "weights.safetensors"
    save_file(copied.state_dict(), weights)
    mapped = recipe.load_mapped(recipe.Network, weights)
    rows = torch.ones(3, recipe.COLUMNS)
    with torch.inference_mode():
        answer, expected = mapped(rows), copied(rows)

    def scaled() -> Any:
        network = recipe.Network()
        network.register_buffer("scale", torch.ones(1), persistent=False)
        return network

    incomplete = "nothing was said"
    try:
        recipe.load_mapped(scaled, weights)
    except ValueError as exc:
        incomplete = str(exc)
    return {
        "mapped": all(is_mapped(parameter, weights) for parameter in mapped.parameters()),
        "identical": bool(torch.equal(answer, expected)),
        "inference": answer.is_inference(),
        "incomplete": incomplete,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(load_recipe(Path(sys.argv[1])), Path(sys.argv[2]))))
