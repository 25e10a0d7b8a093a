"""The one file that runs `uv`. It resolves and fetches; its failures come out as BundleError with a way on.

Indexes, credentials, proxies and offline mode are the user's own settings of uv (uv.toml,
pyproject.toml or UV_* variables), read in the project's folder. Nothing here names a server.
"""

import os
import subprocess
from pathlib import Path

import uv

from preheat.bundle.interpreter import base_interpreter
from preheat.bundle.model import Target
from preheat.bundle.uv_errors import translate
from preheat.errors import BundleError

NOT_OURS = ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON", "UV_TARGET", "UV_PREFIX")
"""Variables that would make uv look at the developer's environment instead of the target."""


class Uv:
    """Runs uv in `folder`, whose settings it reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def compile(self, requirements: list[str], target: Target, *, output: Path, upgrade: bool) -> str:
        """Resolve `requirements` and return lines with hashes. Pins already in `output` are preferred."""
        arguments = ["--generate-hashes", "--no-header", "--no-annotate", "--output-file", str(output)]
        if upgrade:
            arguments.append("--upgrade")
        self._run(["pip", "compile", *arguments, *_for(target), "-"], requirements, target)
        return output.read_text()

    def wheels(self, requirement: str, target: Target) -> str:
        """Return the wheels of one pinned requirement as a pylock.toml (PEP 751), with their addresses."""
        arguments = ["--format", "pylock.toml", "--no-header", "--no-deps"]
        return self._run(["pip", "compile", *arguments, *_for(target), "-"], [requirement], target)

    def install(self, lines: list[str], target: Target, into: Path, *, hashes: bool = True) -> None:
        """Install exactly `lines` into the folder `into`, linked from uv's own cache."""
        listing = into.with_suffix(".txt")
        listing.write_text("\n".join(lines) + "\n")
        arguments = ["--no-deps", "--link-mode", "hardlink", "--no-compile-bytecode"]
        if hashes:
            arguments.append("--require-hashes")
        where = ["--target", str(into), "--requirements", str(listing)]
        self._run(["pip", "install", *arguments, *_for(target), *where], [], target)

    def _run(self, arguments: list[str], requirements: list[str], target: Target) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        answer = subprocess.run(
            [uv.find_uv_bin(), "--quiet", "--color", "never", *arguments],
            input="\n".join(requirements) + "\n",
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            message, hint = translate(answer.stderr, target)
            raise BundleError(message, hint=hint)
        return answer.stdout


def _for(target: Target) -> list[str]:
    """Return the options for the target. uv also wants some interpreter; which one changes nothing."""
    return [
        *("--python", str(base_interpreter())),
        *("--python-platform", target.platform),
        *("--python-version", target.python),
        *("--only-binary", ":all:"),
    ]
