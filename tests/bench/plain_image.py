"""The embedding service in a plain Dockerfile with pip, as most people would ship it, made by podman."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.fakes.containers import Podman

from preheat.project.config import load_project

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "embeddings"
SERVER = ("fastapi", "uvicorn")
"""What it serves with, beside the example's own requirements."""
PYTHON = "/usr/bin/python3.11"
DOCKERFILE = """FROM {base}
{more}
COPY site /site
COPY weights /weights
COPY app.py /app.py
ENV PYTHONPATH=/site
ENTRYPOINT ["{python}", "/app.py", "/weights/model.onnx", "/weights/tokenizer.json"]
"""
COMPILED = f'RUN ["{PYTHON}", "-m", "compileall", "-q", "/usr/lib/python3.11"]'
"""For whoever knows that published bases have no byte-code of the standard library."""


class PlainImage:
    """A build context in `folder` for an image on `base`; `weights` is the folder of the model's files."""

    def __init__(self, folder: Path, podman: Podman, *, host: str, base: str, weights: Path) -> None:
        self._folder = folder
        self._podman = podman
        self._host = host
        self._base = base
        folder.mkdir()
        (folder / "weights").mkdir()
        for path in (path for path in weights.rglob("*") if path.is_file()):
            shutil.copy(path, folder / "weights")
        shutil.copy(HERE / "naive" / "app.py", folder)
        requirements = load_project(EXAMPLE, "dev", provider_schemas={}).requirements
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        target = ["--no-cache-dir", "--target", str(folder / "site")]
        subprocess.run([*pip, *target, *requirements, *SERVER], check=True, capture_output=True)

    def edit(self, number: int) -> None:
        """Change the code."""
        with (self._folder / "app.py").open("a") as file:
            file.write(f"\nEDIT = {number}\n")

    def push(self, name: str, *flags: str, more: str = "") -> str:
        """Build with the line `more` in the Dockerfile, and push; return the name."""
        text = DOCKERFILE.format(base=self._base, more=more, python=PYTHON)
        (self._folder / "Dockerfile").write_text(text)
        reference = f"{self._host}/{name}"
        how = ("--quiet", "--layers", "--isolation", "chroot", "--tls-verify=false", "--tag", reference)
        self._podman.run("build", *how, *flags, str(self._folder))
        self._podman.run("push", "--quiet", "--tls-verify=false", reference)
        return reference
