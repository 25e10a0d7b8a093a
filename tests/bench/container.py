"""The start of a container of examples/embeddings, beside the same layers without one and a plain image.

Every round starts each contender once, in turn. From nothing to the first 200 on /ping: the server's own
entry as a bare process; the entry for SageMaker, which also answers while it loads; the image with that entry
under podman and runc; and what the engine itself takes for one (`podman run` of `python -c ""`). From nothing
to the first right vector, under podman and runc: ours, and the FastAPI service of `tests/bench/naive` from a
plain Dockerfile, as it is and with the standard library compiled. The base has no byte-code of that, as the
published images of Python have none. A ratio is the median of the rounds' ratios.
Run: `python -m tests.bench.container [ROUNDS]`.
"""

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.cold import BODY, correct, post
from tests.bench.plain_image import COMPILED, PlainImage
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
LESS = "container, less an empty one"
PLAIN, PLAIN_COMPILED, OURS = "plain Dockerfile, FastAPI", "the same, standard library compiled", "ours"
Start = Callable[[], float]
"""Returns milliseconds."""


def until(asked: Callable[[], bool], started: float) -> float:
    """Return how many ms after `started` the server is there and `asked` says yes."""
    while True:
        with suppress(OSError):
            if asked():
                return (time.perf_counter() - started) * 1000
        time.sleep(0.002)


def well(port: int) -> bool:
    """Say whether /ping is 200."""
    return _status(port, "GET", "/ping") == 200


def answered(port: int) -> bool:
    """Say whether a request is answered, with the right vector; 503 is what says that the model loads."""
    return _status(port, "POST", "/invocations") == 200 and correct(post(port))


def _status(port: int, method: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        body = BODY if method == "POST" else None
        connection.request(method, path, body, {"content-type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


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
                return until(lambda: well(port), started)
            finally:
                process.kill()

    return start


def contained(podman: Podman, image: str, asked: Callable[[int], bool]) -> Start:
    """Return what starts a container of our `image`, until `asked` says yes of its port."""
    return _contained(podman, image, lambda port: ("serve",), asked)


def contained_plain(podman: Podman, image: str) -> Start:
    """Return what starts a container of a plain image, until it answers."""
    return _contained(podman, image, lambda port: (str(port),), answered)


def _contained(
    podman: Podman, image: str, arguments: Callable[[int], Sequence[str]], asked: Callable[[int], bool]
) -> Start:
    def start() -> float:
        port = free_port()
        variables = ("--network", "host", "--env", f"{PORT}={port}")
        started = time.perf_counter()
        identity = podman.run("run", "--detach", *LIMITS, *variables, image, *arguments(port))
        try:
            return until(lambda: asked(port), started)
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


@contextmanager
def built(folder: Path) -> Iterator[tuple[str, str, Made]]:
    """A registry that runs until the block ends, its base, and the example's image in it."""
    os.environ["PREHEAT_HOME"] = str(folder / "home")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    project = Path(shutil.copytree(ROOT / "examples" / "embeddings", folder / "project"))
    settings = (project / "preheat.toml").read_text()
    (project / "preheat.toml").write_text(f'python = "3.11"\n{settings}')
    with registry(folder) as host:
        base = push_base(host, base_archive(), "base", folder=folder)
        yield host, base, make_image(project, host=host, base=base)


def measured(contenders: Mapping[str, Start], rounds: int) -> dict[str, list[float]]:
    """Start every contender once a round, after one that fills the page cache; return their times in ms."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, start in contenders.items():
            elapsed = start()
            if number:
                figures[name].append(elapsed)
    return figures


def main(rounds: int = 10) -> None:
    """Print the tables."""
    if missing():
        sys.exit(f"This needs {', '.join(missing())}: make system")
    with tempfile.TemporaryDirectory(dir="/tmp") as name, built(Path(name)) as (host, base, made):
        folder = Path(name)
        code, store = made.layers(folder / "layers"), folder / "podman"
        store.mkdir()
        podman = Podman(store)
        podman.run("pull", "--quiet", "--tls-verify=false", made.reference)
        layers = [f"--{layer}={code.parent / layer}" for layer in ("dependencies", "weights")]
        plain = PlainImage(folder / "plain", podman, host=host, base=base, weights=code.parent / "weights")
        try:
            ready = measured(
                {
                    BARE: bare(code, "preheat/runtime/server/entry.py", [*layers, "--port={port}"]),
                    BARE_TOO: bare(code, SCRIPT, ["serve"]),
                    CONTAINER: contained(podman, made.reference, well),
                    EMPTY: engine_alone(podman, made.reference),
                },
                rounds,
            )
            answers = measured(
                {
                    PLAIN: contained_plain(podman, plain.push("plain:v1")),
                    PLAIN_COMPILED: contained_plain(podman, plain.push("plain:v2", more=COMPILED)),
                    OURS: contained(podman, made.reference, answered),
                },
                rounds,
            )
        finally:
            podman.close()
    ready[LESS] = [full - empty for full, empty in zip(ready[CONTAINER], ready[EMPTY], strict=True)]
    aims = {BARE_TOO: "1.2", CONTAINER: "1.2", LESS: "1.2"}
    show("Start -> first 200 on /ping", ready, baseline=BARE, unit="ms", aims=aims)
    show("Container start -> first right answer", answers, baseline=PLAIN, unit="ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
