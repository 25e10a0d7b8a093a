"""What an image costs to build, push and store, beside a plain Dockerfile with pip under podman.

The project is examples/embeddings, on one base without byte-code, as the published ones of Python are, with
Debian's registry on this machine. Every round runs each
case once, in turn, as whole commands; ratios are medians of per-round ratios. The packages are installed
before: what is measured leads from there to the image in the registry. Both images are started once and
asked. How long a start takes is in `tests.bench.container`. Run: `python -m tests.bench.image [ROUNDS]`.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.cold import correct, post
from tests.bench.plain_image import EXAMPLE, PlainImage
from tests.bench.table import show
from tests.fakes.containers import (
    LIMITS,
    PYTHON,
    Podman,
    base_archive,
    environment,
    push_base,
    registry,
)
from tests.fakes.patience import PATIENCE_S
from tests.fakes.ports import free_port
from tests.system_packages import missing

PLAIN, OURS = "Dockerfile with pip, podman build and push", "preheat image push"
PACKED = "preheat image push, packed before"
CODE_BYTES = 200_000
Document = dict[str, Any]


class Ours:
    """The example as preheat pushes it; every case returns after one run."""

    def __init__(self, folder: Path, host: str, base: str) -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.pushed: Document = {}
        self.used: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        """Seconds and processor seconds of pushes into new repositories, with packing and without."""
        self._host = host
        self._base = base
        self._edits = 0
        shutil.copytree(EXAMPLE, self.project)
        settings = (self.project / "preheat.toml").read_text()
        (self.project / "preheat.toml").write_text(f'python = "{PYTHON}"\n{settings}')

    def code(self) -> None:
        """Build and push after an edit of the handler."""
        self._edits += 1
        with (self.project / "handler.py").open("a") as file:
            file.write(f"\n\nEDIT = {self._edits}\n")
        self.push("ours:v1")
        assert self.pushed["sent_bytes"] < CODE_BYTES, self.pushed

    def whole(self, *, packed: bool) -> None:
        """Push every layer into a new repository, packed before or now."""
        if not packed:
            shutil.rmtree(self.home / "cache" / "images", ignore_errors=True)
        self._edits += 1
        started, used = time.perf_counter(), _processor_s()
        self.push(f"ours-{self._edits}:v1")
        self.used[not packed].append((time.perf_counter() - started, _processor_s() - used))

    @property
    def busy(self) -> float:
        """How many processors packing kept busy: what a push takes more, by what it computes more."""
        pairs = [*zip(self.used[True], self.used[False], strict=True)][1:]
        return median((more[1] - less[1]) / (more[0] - less[0]) for more, less in pairs)

    def push(self, name: str) -> None:
        """Build and push."""
        command = ["image", "push", f"{self._host}/{name}", str(self.project), "--base", self._base, "--json"]
        preheat = Path(sys.executable).with_name("preheat")
        done = subprocess.run(
            [preheat, *command], env=environment(self.home), capture_output=True, check=True
        )
        self.pushed = json.loads(done.stdout)


class Plain:
    """The same model as most people would ship it; every case returns after one run."""

    def __init__(self, image: PlainImage) -> None:
        self._image = image
        self._edits = 0

    def code(self) -> None:
        """Build and push after an edit of the app, with every layer below it cached."""
        self._edits += 1
        self._image.edit(self._edits)
        self._image.push("plain:v1")

    def whole(self) -> None:
        """Make every layer and push them all into a new repository."""
        self._edits += 1
        self._image.push(f"plain-{self._edits}:v1", "--no-cache")


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check(podman: Podman, image: str, *arguments: str) -> None:
    """Start a container whose server listens on the port that ends `arguments`, and ask it for a vector."""
    port = int(arguments[-1])
    identity = podman.run("run", "--detach", "--network", "host", *LIMITS, image, *arguments)
    given_up = time.monotonic() + PATIENCE_S
    try:
        while True:
            try:
                assert correct(post(port))
                return
            except ConnectionRefusedError:
                assert time.monotonic() < given_up, podman.run("logs", identity)
                time.sleep(0.05)
    finally:
        podman.run("rm", "--force", "--time", "0", identity)


def megabytes(podman: Podman, name: str) -> dict[str, float]:
    """Return the size of an image that is in the registry and in podman's store."""
    command = ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"]
    manifest = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    base, *own = [layer["size"] / 1e6 for layer in manifest["layers"]]
    unpacked = int(podman.run("image", "inspect", "--format", "{{.Size}}", name)) / 1e6
    return {
        "in the registry": base + sum(own),
        "in the registry, without the base": sum(own),
        "unpacked": unpacked,
    }


def rounds_of(cases: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Run every case once a round, after one that fills the caches; return their times in ms."""
    figures: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            started = time.perf_counter()
            case()
            if number:
                figures[name].append((time.perf_counter() - started) * 1000)
    return figures


def measure(folder: Path, host: str, podman: Podman, rounds: int) -> None:
    """Print the tables."""
    base = push_base(host, base_archive(), "base", folder=folder)
    ours = Ours(folder, host, base)
    ours.push("ours:v1")
    [weights] = (ours.home / "cache" / "layers").glob("weights-*")
    image = PlainImage(folder / "context", podman, host=host, base=base, weights=weights)
    plain = Plain(image)
    reference = image.push("plain:v1")
    check(podman, reference, str(free_port()))
    check(podman, pull(podman, ours.pushed["reference"]), "--port", str(free_port()))

    code = rounds_of({PLAIN: plain.code, OURS: ours.code}, rounds)
    show("After an edit of the code", code, baseline=PLAIN, unit="ms", aims={OURS: "2000 ms"})
    sys.stdout.write(f"Sent: {ours.pushed['sent_bytes'] / 1000:.1f} kB (aim: {CODE_BYTES / 1000:.0f} kB)\n\n")

    cases = {
        PLAIN: plain.whole,
        OURS: lambda: ours.whole(packed=False),
        PACKED: lambda: ours.whole(packed=True),
    }
    show("Every layer pushed", rounds_of(cases, rounds), baseline=PLAIN, unit="ms")
    sys.stdout.write(f"Processors busy while preheat packs: {ours.busy:.2f}\n\n")

    names = {PLAIN: reference, OURS: pull(podman, ours.pushed["reference"])}
    sizes = {name: megabytes(podman, image) for name, image in names.items()}
    for title in ("in the registry", "in the registry, without the base", "unpacked"):
        figures = {name: [found[title]] for name, found in sizes.items()}
        show(f"The image {title}", figures, baseline=PLAIN, unit="MB", aims={OURS: "0.700"})


def pull(podman: Podman, reference: str) -> str:
    """Have the image of a push in podman's store; return its name there, which has a digest and no tag."""
    repository, _, digest = reference.partition("@")
    name = f"{repository.rpartition(':')[0]}@{digest}"
    podman.run("pull", "--quiet", "--tls-verify=false", name)
    return name


def main(rounds: int = 3) -> None:
    """Measure in a folder that is removed."""
    if missing():
        sys.exit(f"This needs {', '.join(missing())}: make system")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        store = folder / "podman"
        store.mkdir()
        podman = Podman(store)
        try:
            with registry(folder) as host:
                measure(folder, host, podman, rounds)
        finally:
            podman.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
