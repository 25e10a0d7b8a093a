"""Every example is typed as strictly as the sources."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.functional.examples.conftest import EXAMPLES

ROOT = EXAMPLES.parent
FOLDERS = sorted({path.parent for path in EXAMPLES.glob("*/*.py")})
UNTYPED = ("onnx", "onnxruntime", "peft", "safetensors", "tokenizers", "torch", "transformers")


@pytest.mark.parametrize("project", FOLDERS, ids=lambda path: path.name)
def test_an_example_is_strictly_typed(project: Path, tmp_path: Path) -> None:
    overrides = "".join(f"[mypy-{name}.*]\nignore_missing_imports = true\n" for name in UNTYPED)
    strict = "[mypy]\nstrict = true\ndisallow_subclassing_any = false\n"
    (tmp_path / "mypy.ini").write_text(strict + overrides)
    options = [f"--config-file={tmp_path / 'mypy.ini'}", f"--cache-dir={ROOT / '.mypy_cache' / 'examples'}"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *project.rglob("*.py")],
        cwd=project,
        env={**os.environ, "MYPYPATH": f"{ROOT / 'framework'}{os.pathsep}{project}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
