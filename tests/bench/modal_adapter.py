"""What Modal's adapter costs: a start to the first answer, and a web request, beside a hand-written app.

All run in the container entrypoint of Modal's own client, from one control plane in one run. The model
does nothing, so nothing hides what is ours: the hand-written apps parse JSON and print it, one as bare
ASGI, one with FastAPI. Every round starts each once and asks it in turn. Beside the time of a start stands
the processor time that the container has taken by then: the steadier figure on a busy machine.
Run: `python -m tests.bench.modal_adapter [ROUNDS]`.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
from tests.bench.table import show
from tests.fakes.modal.container import Container
from tests.fakes.modal.harbour import FUNCTION, Harbour
from tests.fakes.modal.plane import ControlPlane

HERE = Path(__file__).parent
APPS = HERE / "modal"
BODY = b'{"text": "hello", "times": 2}'
HEADERS = {"content-type": "application/json"}
REQUESTS = 60

BARE = "hand-written, bare ASGI"
FASTAPI = "hand-written, FastAPI"
OURS = "preheat"
SNAPSHOT = "preheat, after a snapshot"


class Contender:
    """One deployed app."""

    def __init__(self, plane: ControlPlane, app: str) -> None:
        self._plane = plane
        self._app = app
        self._http = httpx.Client(base_url=plane.url(app, FUNCTION, "web"), timeout=60, trust_env=False)

    def start(self) -> Container:
        """Start a container."""
        return self._plane.start(self._app, FUNCTION)

    def ask(self) -> None:
        """Send a request and check its answer."""
        answer = self._http.post("/invocations", content=BODY, headers=HEADERS)
        assert answer.status_code == 200, (self._app, answer.text)
        assert answer.json() == {"text": "hello", "times": 2}

    def stop(self) -> None:
        """End every container."""
        self._plane.drain(self._app)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def deployed(plane: ControlPlane, folder: Path) -> dict[str, Contender]:
    """Deploy every app, in images of the same packages."""
    harbour = Harbour(plane, folder)
    ours = harbour.ship(APPS / "echo", numbered=False)
    snapshot = harbour.ship(
        APPS / "echo", {'name = "echo"': 'name = "frozen"'}, numbered=False, snapshot="cpu"
    )
    harbour.close()
    requirements = next(folder.glob("app-*/requirements.txt"))
    found = {}
    for name, app in ((BARE, "bare"), (FASTAPI, "web")):
        place = folder / app
        place.mkdir()
        shutil.copy(APPS / f"{app}_app.py", place)
        shutil.copy(requirements, place)
        harbour.command(place / f"{app}_app.py")
        found[name] = Contender(plane, f"hand-written-{app}")
    return found | {
        OURS: Contender(plane, ours.spec.app),
        SNAPSHOT: Contender(plane, snapshot.spec.app),
    }


def start_ms(contender: Contender, *, since: str) -> tuple[float, float]:
    """Return what a container took from `since` to its first answer, and its processor time until then."""
    container = contender.start()
    contender.ask()
    answered = time.monotonic()
    return (answered - container.times[since]) * 1000, spent_ms(container)  # type: ignore[index]


def spent_ms(container: Container) -> float:
    """Return the processor time of the entrypoint, the innermost process of `container` (proc(5))."""
    assert container.process is not None
    pid = str(container.process.pid)
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        (pid,) = children
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") * 1000


def request_ms(contender: Contender) -> float:
    """Return the median of some requests, one after another."""

    def one() -> float:
        begun = time.perf_counter()
        contender.ask()
        return (time.perf_counter() - begun) * 1000

    return statistics.median(one() for _ in range(REQUESTS))


def main(rounds: int = 12) -> None:
    """Print the tables."""
    starts: dict[str, list[float]] = {}
    spent: dict[str, list[float]] = {}
    requests: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="preheat-plane-") as kept,
        tempfile.TemporaryDirectory(prefix="preheat-bench-") as folder,
        ControlPlane(Path(kept)) as plane,
    ):
        contenders = deployed(plane, Path(folder))
        for number in range(rounds + 1):
            for name, contender in contenders.items():
                took, processor = start_ms(contender, since="restored" if name == SNAPSHOT else "starting")
                one = request_ms(contender)
                contender.stop()
                if number:  # the first round warms the caches of the system
                    starts.setdefault(name, []).append(took)
                    spent.setdefault(name, []).append(processor)
                    requests.setdefault(name, []).append(one)
        for contender in contenders.values():
            contender.close()
    aims = {OURS: "1.100"}
    show("Start of a container to its first answer", starts, baseline=BARE, unit="ms", aims=aims)
    show("The same in processor time, from the very start", spent, baseline=BARE, unit="ms")
    show("A web request through the control plane", requests, baseline=BARE, unit="ms", aims=aims)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
