"""The start of a container, from nothing to the first 200 on /ping, beside the same layers without one.

The model is that of examples/embeddings. Every round starts each contender once, in turn: the server's own
entry as a bare process; the entry for SageMaker, which also answers while it loads; the image with that entry
under podman and runc; and what the engine itself takes for one (`podman run` of `python -c ""`). A ratio is
the median of the rounds' ratios. Run: `python -m tests.bench.container [ROUNDS]`.
"""

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.table import show
from tests.fakes.containers import LIMITS, Podman, base_archive, push_base, registry
from tests.fakes.ports import free_port
from tests.fakes.sagemaker.images import Made, make_image
from tests.system_packages import missing

from preheat_providers.sagemaker.container import SCRIPT

ROOT = Path(__file__).parents[2]
PYTHON = [sys.executable, "-I", "-S", "-B", "-X", "utf8"]
PORT = "SAGEMAKER_BIND_TO_PORT"
BARE, BARE_TOO = "bare process", "bare process, SageMaker's entry"
CONTAINER, EMPTY = "container (podman, runc)", "an empty container"
Start = Callable[[], float]
"""Returns milliseconds."""


def until_ready(port: int, started: float) -> float:
    """Return how many ms after `started` /ping is 200."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return (time.perf_counter() - started) * 1000
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.002)


def bare(code: Path, script: str, flags: Sequence[str] = ()) -> Start:
    """Return what starts a process of the layers around `code`."""

    def start() -> float:
        port = free_port()
        named = [flag.format(port=port) for flag in flags]
        started = time.perf_counter()
        with subprocess.Popen(
            [*PYTHON, code / script, *named],
            env={"PATH": os.environ["PATH"], PORT: str(port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                return until_ready(port, started)
            finally:
                process.kill()

    return start


def contained(podman: Podman, image: str) -> Start:
    """Return what starts a container of `image`."""

    def start() -> float:
        port = free_port()
        variables = ("--network", "host", "--env", f"{PORT}={port}")
        started = time.perf_counter()
        identity = podman.run("run", "--detach", *LIMITS, *variables, image, "serve")
        try:
            return until_ready(port, started)
        finally:
            podman.run("rm", "--force", "--time", "0", identity)

    return start


def engine_alone(podman: Podman, image: str) -> Start:
    """Return what starts a container that does nothing, and waits for its end."""
    nothing = ("--network", "host", "--entrypoint", '["/usr/bin/python3.11", "-I", "-S", "-c", ""]')

    def start() -> float:
        started = time.perf_counter()
        podman.run("run", "--rm", *LIMITS, *nothing, image)
        return (time.perf_counter() - started) * 1000

    return start


def with_bytecode(archive: Path, folder: Path) -> Path:
    """Return `archive` with the byte-code of its standard library, as every published Python image has it."""
    root, made = folder / "base", folder / "base.tar"
    subprocess.run(["tar", "--extract", "--file", archive, f"--one-top-level={root}"], check=True)
    library = root / "usr" / "lib" / "python3.11"
    compiling = ["-q", "-f", "-s", str(root), "--invalidation-mode", "unchecked-hash", str(library)]
    subprocess.run([sys.executable, "-m", "compileall", *compiling], check=True)
    subprocess.run(["tar", "--create", "--file", made, "--directory", root, "."], check=True)
    shutil.rmtree(root)
    return made


@contextmanager
def built(folder: Path) -> Iterator[Made]:
    """The image of the example in a registry that runs until the block ends."""
    os.environ["PREHEAT_HOME"] = str(folder / "home")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    project = Path(shutil.copytree(ROOT / "examples" / "embeddings", folder / "project"))
    settings = (project / "preheat.toml").read_text()
    (project / "preheat.toml").write_text(f'python = "3.11"\n{settings}')
    with registry(folder) as host:
        base = push_base(host, with_bytecode(base_archive(), folder), "base", folder=folder)
        yield make_image(project, host=host, base=base)


def main(rounds: int = 10) -> None:
    """Print the table."""
    if missing():
        sys.exit(f"This needs {', '.join(missing())}: make system")
    with tempfile.TemporaryDirectory() as name, built(Path(name)) as made:
        code, store = made.layers(Path(name) / "layers"), Path(name) / "podman"
        store.mkdir()
        podman = Podman(store)
        podman.run("pull", "--quiet", "--tls-verify=false", made.reference)
        layers = [f"--{layer}={code.parent / layer}" for layer in ("dependencies", "weights")]
        plain = bare(code, "preheat/runtime/server/entry.py", [*layers, "--port={port}"])
        contenders = {
            BARE: plain,
            BARE_TOO: bare(code, SCRIPT, ["serve"]),
            CONTAINER: contained(podman, made.reference),
            EMPTY: engine_alone(podman, made.reference),
        }
        figures: dict[str, list[float]] = {each: [] for each in contenders}
        try:
            for round_number in range(rounds + 1):
                measured = {each: start() for each, start in contenders.items()}
                if round_number:  # the first one fills the page cache
                    for each, elapsed in measured.items():
                        figures[each].append(elapsed)
        finally:
            podman.close()
    pairs = zip(figures[CONTAINER], figures[EMPTY], strict=True)
    figures["container, less an empty one"] = [full - empty for full, empty in pairs]
    title = "Container: start -> first 200 on /ping (examples/embeddings)"
    aims = {BARE_TOO: "1.2", CONTAINER: "1.2", "container, less an empty one": "1.2"}
    show(title, figures, baseline=BARE, unit="ms", aims=aims)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
