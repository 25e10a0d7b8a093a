"""Generated requests, good and bad, against what /openapi.json of a real server says."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.patience import PATIENCE_S
from tests.fakes.servers import ServerProcess

pytestmark = pytest.mark.runtime

HERE = Path(__file__).parent
HANDLERS = (HERE / "handlers.py").read_text()
EXAMPLES = 40

# Their schema says everything that they demand of an input.
SAID = [
    "Scalars",
    "Structures",
    "Strings",
    "Lists",
    "Texts",
    "Anything",
    "Tensors",
    "Streams",
    "AsyncStreams",
]
# Every route; for the others, that which differs from handler to handler.
WHOLE = ["Scalars", "Tensors"]
# A picture must decode, base64 must have its padding, a batch refuses what it likes.
STRICTER = ["Pictures", "Uploads", "Raw", "Batched"]


@pytest.mark.parametrize("handler", [*SAID, *STRICTER])
def test_no_request_gets_what_the_document_does_not_say(
    start: Callable[..., ServerProcess], tmp_path: Path, handler: str
) -> None:
    server = start(source=f"{HANDLERS}\n\nModel = {handler}\n")
    server.until("ready")
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(HERE / "schemathesis.toml"),
        "run",
    ]
    command += [f"http://127.0.0.1:{server.port}/openapi.json", "--phases", "examples,coverage,fuzzing"]
    command += ["--max-examples", str(EXAMPLES), "--generation-deterministic", "--no-color"]
    command += ["--warnings", "off", "--request-timeout", "20"]
    if handler in STRICTER:
        command += ["--exclude-checks", "positive_data_acceptance"]
    if handler not in WHOLE:
        command += ["--include-path", "/invocations"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(HERE)}
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert not [event for event in server.events if event.get("level") == "error"]
    assert server.get("/readyz")[0] == 200
