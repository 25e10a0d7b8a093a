"""What `preheat tune` finds, and what that gains.

First loading.py: the start, the session and the calls of a float32 model of 90 MB. Then every variant of
another sentence transformer, whose float32 weights of 69 MB are those of its authors, with the inputs of
eight sentences (tests/bench/tuned): the table has the ratios to the model as it is, fewer bits among them.
Run: `python -m tests.bench tuning`.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.bench import loading

PROJECT = Path(__file__).parent / "tuned"
LOAD, QUANTISED = "extended, answer first", "int8-per-channel"
AIMS = (
    (LOAD, "load_ms", "at most", 0.2),
    (LOAD, "steady_ms", "at most", 1 / 0.98),
    (QUANTISED, "steady_ms", "at most", 0.5),
    (QUANTISED, "bytes", "at most", 0.3),
)
LEAST_COSINE = 0.99
FIGURES = {
    "load_ms": "session",
    "first_ms": "first",
    "steady_ms": "steady",
    "rss_bytes": "memory",
    "bytes": "size",
}


def show(document: Mapping[str, Any]) -> None:
    """Print the ratios of every variant to the default, and the aims."""
    variants = {variant["name"]: variant for variant in document["variants"]}
    default = variants["default"]
    table = Table(title="preheat tune, float32, 69 MB: ratios to the model as it is", title_justify="left")
    for title in ("variant", *FIGURES.values(), "max error", "cosine", ""):
        table.add_column(title, justify="left" if title in ("variant", "") else "right")
    for name, variant in variants.items():
        ratios = [f"{variant[figure] / default[figure]:.3f}" for figure in FIGURES]
        deviation = variant["deviation"]
        near = "0" if deviation["identical"] else f"{deviation['max_rel']:.1e}"
        remark = "chosen" if name == document["chosen"] else variant["rejected"] or ""
        table.add_row(name, *ratios, near, f"{deviation['cosine']:.4f}", remark)
    console = Console(width=170)
    console.print(table)
    units = {figure: f"{default[figure]:.1f} ms" for figure in FIGURES if figure.endswith("_ms")}
    console.print(f"The default took: {units}")
    for name, figure, word, aim in AIMS:
        ratio = variants[name][figure] / default[figure]
        console.print(f"{name}: {FIGURES[figure]} {ratio:.3f}, aim {word} {aim:.3f}: {_met(ratio <= aim)}")
    cosine = variants[QUANTISED]["deviation"]["cosine"]
    console.print(f"{QUANTISED}: cosine {cosine:.4f}, aim {LEAST_COSINE}: {_met(cosine >= LEAST_COSINE)}")


def _met(met: bool) -> str:
    return "met" if met else "missed"


def main(rounds: int = 9) -> None:
    """Print the tables."""
    loading.main(rounds)
    with tempfile.TemporaryDirectory() as name:
        os.environ["PREHEAT_HOME"] = f"{name}/home"
        root = Path(shutil.copytree(PROJECT, Path(name) / "project"))
        asked = ["--quantize", "int8", "--quantize", QUANTISED]
        show(loading.tune(root, "--rounds", str(rounds), "--fuse", *asked))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
