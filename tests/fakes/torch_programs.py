"""Programs that need PyTorch, run in an environment of their own: gigabytes that nothing else here needs."""

import os
import subprocess
from pathlib import Path

from tests.fakes.environments import PYTHON, python_with

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "onnx==1.23.2",
    "onnxruntime==1.31.1",
    "onnxscript==0.7.2",
    "orjson>=3.10",
    "peft==0.21.2",
    "torch==2.15.0",
    "transformers==5.23.0",
)
PATIENCE_S = 240
"""An environment is made once a machine; a program takes seconds, most of them for its imports."""


def torch_python() -> Path:
    """Return a Python with torch, transformers, peft and what exports to ONNX."""
    return python_with(*PACKAGES, compiled=False)


def torch_packages() -> Path:
    """Return the folder of these packages, as a worker takes its dependencies."""
    return torch_python().parents[1] / "lib" / f"python{PYTHON}" / "site-packages"


def run_with_torch(*arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python so, with this project to import, `given` as its input, and nothing that it may fetch."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join(str(ROOT / part) for part in ("framework", "handlers", "."))
    env = kept | {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [str(torch_python()), *map(str, arguments)]
    return subprocess.run(
        command, input=given, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
