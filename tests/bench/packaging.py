"""What a package for Lambda costs: packing alone beside other packers, and the whole way beside pip and zip.

Every round runs each case once, in turn; ratios are medians of per-round ratios. Wheel caches are warm.
Run: `python -m tests.bench.packaging [ROUNDS]`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.bench.table import show

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import native_platform
from preheat.bundle.model import Bundle
from preheat.bundle.zip.archive import Layout, zip_bundle
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat_providers.aws_lambda.options import SCHEMA, Options
from preheat_providers.aws_lambda.target import packed_layers, target_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "embeddings"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ZIPFILE = "zipfile, deflate level 6"
COMMAND = "zip -X -6"
ONE_THREAD = "preheat, one thread"
OURS = "preheat"
NAIVE = "pip install --target, then zip"
WHOLE = "preheat build and pack, new PREHEAT_HOME"
AGAIN = "preheat build and pack, code changed"


class Packing:
    """One bundle and the folder it unpacks to; each case writes an archive and returns after one run."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self._bundle = bundle
        self._layout = Layout(layers=packed_layers(Options()))
        self._folder = folder
        self._tree = folder / "tree"
        for part in self._layout.layers:
            shutil.copytree(bundle.layer(part.layer).path, self._tree / part.folder, dirs_exist_ok=True)
        self.archives: dict[str, Path] = {}

    def zipfile(self) -> None:
        """Pack with the standard library."""
        with zipfile.ZipFile(self._new(ZIPFILE), "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(self._tree.rglob("*")):
                archive.write(path, path.relative_to(self._tree))

    def command(self) -> None:
        """Pack with Info-ZIP."""
        subprocess.run(["zip", "-qrX6", self._new(COMMAND), "."], cwd=self._tree, check=True)

    def ours(self, name: str, threads: int | None) -> None:
        """Pack as a deploy does."""
        cache = Cache(self._folder / name)
        shutil.rmtree(cache.root, ignore_errors=True)
        made = zip_bundle(self._bundle, self._layout, cache=cache, report=quiet, threads=threads)
        self.archives[name] = made.path

    def _new(self, name: str) -> Path:
        path = self._folder / f"{len(self.archives)}-{name.partition(',')[0]}.zip"
        self.archives[name] = path
        path.unlink(missing_ok=True)
        return path


class Project:
    """A copy of the example, whose home each case empties as it needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root = folder / "project"
        shutil.copytree(EXAMPLE, self._root)
        self._edits = 0

    def make(self, home: str) -> Bundle:
        """Build with the state in `home`; for this machine, as its Python may be none that Lambda runs."""
        os.environ["PREHEAT_HOME"] = str(self.folder / home)
        project = load_project(self._root, "dev", provider_schemas={"aws_lambda": SCHEMA, "local": {}})
        target = replace(target_of(project, Options()), python=PYTHON, platform=native_platform())
        return build(project, target, report=quiet)

    def whole(self, home: str, *, fresh: bool) -> Path:
        """Build and pack, with an edit where the home is kept."""
        if fresh:
            shutil.rmtree(self.folder / home, ignore_errors=True)
        self._edits += 1
        with (self._root / "handler.py").open("a") as file:
            file.write(f"\n\nEDIT = {self._edits}\n")
        bundle = self.make(home)
        layout = Layout(layers=packed_layers(Options()))
        return zip_bundle(bundle, layout, cache=Cache(self.folder / home / "cache"), report=quiet).path

    def naive(self, requirements: tuple[str, ...]) -> Path:
        """Install with pip and pack with zip, weights included."""
        site = self.folder / "site"
        shutil.rmtree(site, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", site, *requirements], check=True, capture_output=True)
        shutil.copytree(self.make("home").layer("weights").path, site / "weights")
        shutil.copy(self._root / "handler.py", site)
        (self.folder / "naive.zip").unlink(missing_ok=True)
        subprocess.run(["zip", "-qr", self.folder / "naive.zip", "."], cwd=site, check=True)
        return self.folder / "naive.zip"


def unpacked_mb(path: Path) -> float:
    """Return what an archive unpacks to. Raises if it is broken."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, path
        return sum(info.file_size for info in archive.infolist()) / 1e6


def rounds_of(cases: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Run every case once a round, after one round that fills the caches; return their times in ms."""
    figures: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            started = time.perf_counter()
            case()
            if number:
                figures[name].append((time.perf_counter() - started) * 1000)
    return figures


def main(rounds: int = 3) -> None:
    """Print the tables."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        project = Project(Path(name))
        bundle = project.make("home")
        packing = Packing(bundle, Path(name))
        figures = rounds_of(
            {
                ZIPFILE: packing.zipfile,
                COMMAND: packing.command,
                ONE_THREAD: lambda: packing.ours(ONE_THREAD, 1),
                OURS: lambda: packing.ours(OURS, None),
            },
            rounds,
        )
        show(f"Packing {bundle.unzipped_bytes / 1e6:.0f} MB", figures, baseline=ZIPFILE, unit="ms")
        sizes = {case: [path.stat().st_size / 1e6] for case, path in packing.archives.items()}
        show("The archive", sizes, baseline=ZIPFILE, unit="MB")

        requirements = (
            *load_project(EXAMPLE, "dev", provider_schemas={}).requirements,
            *bundle.target.requirements,
        )
        made: dict[str, Path] = {}
        figures = rounds_of(
            {
                NAIVE: lambda: made.__setitem__(NAIVE, project.naive(requirements)),
                WHOLE: lambda: made.__setitem__(WHOLE, project.whole("fresh", fresh=True)),
                AGAIN: lambda: made.__setitem__(AGAIN, project.whole("home", fresh=False)),
            },
            max(1, rounds // 2),
        )
        show("examples/embeddings as a package", figures, baseline=NAIVE, unit="ms", aims={WHOLE: "0.200"})
        unpacked = {case: [unpacked_mb(path)] for case, path in made.items()}
        show("Unpacked", unpacked, baseline=NAIVE, unit="MB", aims={WHOLE: "0.700"})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
