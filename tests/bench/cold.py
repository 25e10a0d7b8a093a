"""Cold start of examples/embeddings through the local endpoint, beside hand-written scripts.

Every round starts each contender once, in turn, and times process start (or, for the endpoint,
the request that finds nothing running) to the first correct answer. Ratios are medians of
per-round ratios. Run: `python -m tests.bench.cold [ROUNDS]`.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import uv
from tests.bench.table import show

from preheat.deploy import deploy
from preheat.progress import quiet
from preheat.provider.registry import Registry

ROOT = Path(__file__).parents[2]
NAIVE = Path(__file__).parent / "naive"
KNOWN = json.loads((ROOT / "tests/functional/examples/minilm_float32.json").read_text())[0]
BODY = json.dumps({"text": KNOWN["text"]}).encode()
STAGES = """
[stage.fresh.scaling]
idle_s = 0.2
max = 1
[stage.fresh.provider.local]
zygote = "off"
[stage.forked.scaling]
idle_s = 0.2
max = 1
"""


def correct(answer: bytes) -> bool:
    """Whether `answer` is the sentence's vector (cosine to the float32 model above 0.999)."""
    return float(np.dot(json.loads(answer)["vector"], KNOWN["vector"])) > 0.999


def post(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/invocations", BODY, {"content-type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def timed(action: Callable[[], bytes]) -> float:
    started = time.perf_counter()
    answer = action()
    elapsed = (time.perf_counter() - started) * 1000
    assert correct(answer), answer
    return elapsed


class Naive:
    """The hand-written contenders, in a virtual environment of their own with byte-code compiled."""

    def __init__(self, folder: Path, weights: Path) -> None:
        self._python = folder / "bin" / "python"
        binary = uv.find_uv_bin()
        subprocess.run([binary, "venv", "-q", "--python", sys.executable, folder], check=True)
        packages = ["fastapi", "uvicorn", "numpy", "onnxruntime", "tokenizers"]
        subprocess.run(
            [binary, "pip", "install", "-q", "--compile-bytecode", "--python", self._python, *packages],
            check=True,
        )
        self._files = [str(weights / "model" / "model.onnx"), str(weights / "tokenizer" / "tokenizer.json")]

    def serve(self) -> bytes:
        """Start the FastAPI service and return its first answer."""
        port = free_port()
        with subprocess.Popen([self._python, NAIVE / "app.py", *self._files, str(port)]) as process:
            try:
                while True:
                    try:
                        return post(port)
                    except ConnectionRefusedError:
                        time.sleep(0.001)
            finally:
                process.kill()

    def script(self) -> bytes:
        """Run the script without a server and return what it prints."""
        arguments = [self._python, NAIVE / "script.py", *self._files, KNOWN["text"]]
        return subprocess.run(arguments, check=True, capture_output=True).stdout


@contextmanager
def deployed(home: Path) -> Iterator[tuple[Path, Callable[[str], Callable[[], bytes]]]]:
    """Deploy the example at two stages; yield its weights and, per stage, a request from zero workers."""
    os.environ["PREHEAT_HOME"] = str(home)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    project = home / "project"
    shutil.copytree(ROOT / "examples" / "embeddings", project)
    (project / "preheat.toml").open("a").write(STAGES)
    provider = Registry.installed().get("local")
    ports = {}
    for stage in ("fresh", "forked"):
        deployment = deploy(project, provider=provider, stage=stage, report=quiet)
        ports[stage] = int(urlsplit(deployment.endpoint).port or 80)

    def from_zero(stage: str) -> Callable[[], bytes]:
        while provider.status("embeddings", stage)[0].workers:
            time.sleep(0.02)
        return lambda: post(ports[stage])

    try:
        weights = next((home / "cache" / "layers").glob("weights-*"))
        yield weights, from_zero
    finally:
        for stage in ports:
            provider.destroy("embeddings", stage, report=quiet)


def main(rounds: int = 15) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, deployed(Path(folder) / "home") as (weights, from_zero):
        naive = Naive(Path(folder) / "venv", weights)
        contenders: dict[str, Callable[[], bytes]] = {
            "hand-written FastAPI service": naive.serve,
            "hand-written script, no server": naive.script,
        }
        figures: dict[str, list[float]] = {name: [] for name in contenders}
        figures |= {"preheat, fresh process": [], "preheat, zygote": []}
        timed(from_zero("forked"))  # starts the zygote
        for round_number in range(rounds + 1):
            measured = {name: timed(start) for name, start in contenders.items()}
            measured["preheat, fresh process"] = timed(from_zero("fresh"))
            measured["preheat, zygote"] = timed(from_zero("forked"))
            if round_number:  # the first round fills the page cache
                for name, elapsed in measured.items():
                    figures[name].append(elapsed)
        show(
            "Cold start: nothing running -> first correct answer (examples/embeddings)",
            figures,
            baseline="hand-written FastAPI service",
            unit="ms",
            aims={"preheat, fresh process": "0.600", "preheat, zygote": "0.050"},
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
