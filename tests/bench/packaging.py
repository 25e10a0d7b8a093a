"""What a package for Lambda costs: packing beside other packers, the whole way beside pip and `sam build`.

Every round runs each case once, in turn; ratios are medians of per-round ratios. Wheel caches are warm.
Run: `python -m tests.bench.packaging [ROUNDS]`. For `sam build` a Python from 3.12 on must be on the PATH,
as onnxruntime has no wheels for the older runtimes; without one its row is left out.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench.table import show
from tests.fakes.environments import python_with

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.interpreter import native_platform
from preheat.bundle.model import Bundle
from preheat.bundle.zip.archive import Layout, Part, zip_bundle
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat_providers.aws_lambda.options import SCHEMA, Options
from preheat_providers.aws_lambda.target import layouts_of, target_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "embeddings"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ZIPFILE = "zipfile, deflate level 6"
COMMAND = "zip -X -6"
ONE_THREAD = "preheat, one thread"
OURS = "preheat"
NAIVE = "pip install --target, then zip"
SAM = "sam build, then zip"
WHOLE = "preheat build and pack, new PREHEAT_HOME"
AGAIN = "preheat build and pack, code changed"
ONE_ARCHIVE = Layout(
    layers=(
        Part(layer="code"),
        Part(layer="dependencies", folder="python"),
        Part(layer="weights", folder="weights"),
    )
)
"""All of a bundle: what every way of packing packs."""


SAM_CLI = "aws-sam-cli==1.170.0"
RUNTIMES = ("python3.13", "python3.12", "python3.14")
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties: {{Handler: handler.handler, Runtime: {runtime}, CodeUri: src/}}
"""
UPLOAD_BYTES = 200_000
"""What a change of code may send."""


class Packing:
    """One bundle and the folder it unpacks to; each case writes an archive and returns after one run."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self._bundle = bundle
        self._folder = folder
        self._tree = folder / "tree"
        for part in ONE_ARCHIVE.layers:
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
        made = zip_bundle(self._bundle, ONE_ARCHIVE, cache=cache, report=quiet, threads=threads)
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

    def whole(self, home: str, *, fresh: bool) -> list[Path]:
        """Build and pack the archives of a deploy, with an edit where the home is kept."""
        if fresh:
            shutil.rmtree(self.folder / home, ignore_errors=True)
        self._edits += 1
        with (self._root / "handler.py").open("a") as file:
            file.write(f"\n\nEDIT = {self._edits}\n")
        bundle = self.make(home)
        cache = Cache(self.folder / home / "cache")
        return [
            zip_bundle(bundle, layout, cache=cache, report=quiet).path
            for layout in layouts_of(bundle, Options()).values()
        ]

    def naive(self, requirements: Sequence[str]) -> list[Path]:
        """Install with pip and pack with zip, weights included."""
        site = self._sources("site")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", site, *requirements], check=True, capture_output=True)
        return [self._zipped(site)]

    def sam(self, requirements: Sequence[str], runtime: str) -> list[Path]:
        """Build with AWS's own tool and pack with zip, weights included."""
        sources = self._sources("sam/src")
        (sources / "requirements.txt").write_text("\n".join(requirements))
        folder = sources.parent
        (folder / "template.yaml").write_text(TEMPLATE.format(runtime=runtime))
        sam = python_with(SAM_CLI).with_name("sam")
        env = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
        subprocess.run([sam, "build"], cwd=folder, env=env, check=True, capture_output=True)
        return [self._zipped(folder / ".aws-sam/build/Function")]

    def _sources(self, name: str) -> Path:
        """Make a folder anew with what is the project's own."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.make("home").layer("weights").path, folder / "weights")
        shutil.copy(self._root / "handler.py", folder)
        return folder

    def _zipped(self, folder: Path) -> Path:
        made = self.folder / f"{folder.name}.zip"
        made.unlink(missing_ok=True)
        subprocess.run(["zip", "-qr", made, "."], cwd=folder, check=True)
        return made


def newer_python() -> str | None:
    """Return the name of a Python that `sam build` can use here."""
    for name in RUNTIMES:
        found = shutil.which(name)
        if found and subprocess.run([found, "-m", "pip", "--version"], capture_output=True).returncode == 0:
            return name
    return None


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
        weights = {case: [path.stat().st_size / 1e6] for case, path in packing.archives.items()}
        show("The archive", weights, baseline=ZIPFILE, unit="MB")

        whole_way(project, rounds=max(1, rounds // 2))


def whole_way(project: Project, *, rounds: int) -> None:
    """Print what it takes from a folder to archives, and what a change of code sends again."""
    requirements = (
        *load_project(EXAMPLE, "dev", provider_schemas={}).requirements,
        *project.make("home").target.requirements,
    )
    made: dict[str, list[Path]] = {}
    cases: dict[str, Callable[[], list[Path]]] = {NAIVE: lambda: project.naive(requirements)}
    if (runtime := newer_python()) is not None:
        cases[SAM] = lambda: project.sam(requirements, runtime)
    cases[WHOLE] = lambda: project.whole("fresh", fresh=True)
    cases[AGAIN] = lambda: project.whole("home", fresh=False)

    def kept(name: str) -> Callable[[], None]:
        return lambda: made.update({name: cases[name]()})

    figures = rounds_of({name: kept(name) for name in cases}, rounds)
    unpacked = {name: [sum(map(unpacked_mb, paths))] for name, paths in made.items()}
    for baseline in (name for name in (NAIVE, SAM) if name in cases):
        title = "examples/embeddings as a package"
        show(title, figures, baseline=baseline, unit="ms", aims={WHOLE: "0.200"})
        show("Unpacked", unpacked, baseline=baseline, unit="MB", aims={WHOLE: "0.700"})
    changed = [path for path in project.whole("home", fresh=False) if path not in made[AGAIN]]
    sent = {"every archive": sizes(made[AGAIN]), "what is sent after a change of code": sizes(changed)}
    aims = {"what is sent after a change of code": f"{UPLOAD_BYTES / 1000:.0f} kB"}
    show("Uploaded", sent, baseline="every archive", unit="kB", aims=aims)


def sizes(paths: Iterable[Path]) -> list[float]:
    """Return the size of all `paths` together, in kB."""
    return [sum(path.stat().st_size for path in paths) / 1000]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
