"""What a build costs, beside a bare `uv pip install --target` of the same requirements.

Every round runs each case once, in turn, as a whole command; ratios are medians of per-round
ratios. The wheel cache of uv is warm throughout. Run: `python tests/bench/build.py [ROUNDS]`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uv

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.table import show

REQUIREMENTS = ("numpy", "onnxruntime", "tokenizers")
PROJECT = f"""name = "bench"
handler = "handler:Model"
requirements = {json.dumps(REQUIREMENTS)}
"""
HANDLER = """import preheat


class Model(preheat.Handler):
    def predict(self, text: str) -> str:
        return text

    def examples(self) -> list[str]:
        return ["a"]
"""
BARE = "uv pip install --target"
BARE_COMPILED = "uv pip install --target --compile-bytecode"
SCRATCH = "preheat build, from scratch, wheels warm"
FIRST = "preheat build, from scratch, new PREHEAT_HOME"
CODE = "preheat build, code changed"
UNCHANGED = "preheat build, nothing changed"


class Bench:
    """One project in one folder; each method is a case that returns after one run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._project = folder / "project"
        self._project.mkdir()
        (self._project / "preheat.toml").write_text(PROJECT)
        self._handler = self._project / "handler.py"
        self._handler.write_text(HANDLER)
        self._environment = {**os.environ, "PREHEAT_HOME": str(folder / "home")}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._preheat = str(Path(sys.executable).parent / "preheat")
        self._edits = 0

    def bare(self, *options: str) -> float:
        """Install the requirements into a new folder."""
        site = self._folder / "site"
        shutil.rmtree(site, ignore_errors=True)
        install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--only-binary", ":all:", *options]
        return self._timed([*install, "--target", str(site), *REQUIREMENTS])

    def first(self) -> float:
        """Build in a home that has nothing."""
        shutil.rmtree(self._folder / "home", ignore_errors=True)
        return self._build()

    def scratch(self) -> float:
        """Build all layers anew from wheels that an earlier build unpacked and compiled."""
        for part in ("layers", "bundles", "fingerprints"):
            shutil.rmtree(self._folder / "home" / "cache" / part)
        return self._build()

    def code(self) -> float:
        """Build after an edit of the handler."""
        self._edits += 1
        self._handler.write_text(f"{HANDLER}\n\nEDIT = {self._edits}\n")
        return self._build()

    def unchanged(self) -> float:
        """Build again."""
        return self._build()

    def _build(self) -> float:
        return self._timed([self._preheat, "build", str(self._project), "--json"])

    def _timed(self, command: Sequence[str]) -> float:
        started = time.perf_counter()
        subprocess.run(command, env=self._environment, check=True, capture_output=True)
        return (time.perf_counter() - started) * 1000


def main(rounds: int = 7) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        cases: dict[str, Callable[[], float]] = {
            BARE: bench.bare,
            BARE_COMPILED: lambda: bench.bare("--compile-bytecode"),
            FIRST: bench.first,
            SCRATCH: bench.scratch,
            CODE: bench.code,
            UNCHANGED: bench.unchanged,
        }
        figures: dict[str, list[float]] = {name: [] for name in cases}
        for round_number in range(rounds + 1):
            measured = {name: case() for name, case in cases.items()}
            if round_number:  # the first round resolves, downloads and fills the page cache
                for name, elapsed in measured.items():
                    figures[name].append(elapsed)
        title = f"Build of {', '.join(REQUIREMENTS)}: whole commands, verification included"
        aims = {SCRATCH: "1.500", CODE: "1000 ms", UNCHANGED: "500 ms"}
        show(title, figures, baseline=BARE, unit="ms", aims=aims)
        compiled = {name: figures[name] for name in (BARE_COMPILED, FIRST)}
        show("The same work, byte-code included", compiled, baseline=BARE_COMPILED, unit="ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
