"""A real model, packed for Lambda and run by its runtime, beside the same project on the local provider."""

import http.client
import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from tests.fakes.lambda_emulator import Emulator
from tests.fakes.lambda_events import version_2
from tests.functional.aws_lambda.emulator.conftest import Unpack

from preheat_providers.aws_lambda.settings import Settings

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("lambda-emulator")]

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "examples" / "embeddings"
KNOWN = json.loads((ROOT / "tests/functional/examples/minilm_float32.json").read_text())
JSON = {"content-type": "application/json", "x-request-id": "r-1"}
BODIES = [
    *(json.dumps({"text": known["text"]}).encode() for known in KNOWN),
    '{"text": "\u00dcberraschung \u65e5\u672c"}'.encode(),
    json.dumps({"text": "long " * 500}).encode(),
    b'{"text": ""}',
    b'{"txt": "wrong"}',
    b'{"text": 3}',
    b"[",
]

Answer = tuple[int, str, bytes]
"""Status, content type and body."""


@pytest.fixture(scope="module")
def function(unpack: Unpack, bare: Path) -> Iterator[Emulator]:
    env = Settings(stage="dev", release="r1").environment() | {"ORT_DISABLE_TELEMETRY": "1"}
    with Emulator(unpack(EXAMPLE), python=bare, env=env, memory_mb=1769, timeout_s=60) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def ask_locally(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bytes], Answer]]:
    """Deploy the example on this machine; return what calls its endpoint."""
    folder = tmp_path_factory.mktemp("local")
    project = shutil.copytree(EXAMPLE, folder / "project")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    env = {**kept, "PREHEAT_HOME": str(folder / "home"), "PATH": path}

    def preheat(*arguments: str | Path) -> bytes:
        done = subprocess.run(["preheat", *arguments], env=env, cwd=folder, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    deployed = json.loads(preheat("deploy", project, "--provider", "local", "--yes", "--json"))
    address = urlsplit(deployed["endpoint"])

    def ask(body: bytes) -> Answer:
        connection = http.client.HTTPConnection(address.netloc, timeout=60)
        try:
            connection.request("POST", "/invocations", body, JSON)
            answer = connection.getresponse()
            return answer.status, str(answer.getheader("content-type")), answer.read()
        finally:
            connection.close()

    yield ask
    preheat("destroy", "embeddings", "--yes")


def ask(function: Emulator, body: bytes) -> Answer:
    value = function.invoke(version_2("/invocations", body, JSON)).value
    sent = b64decode(value["body"]) if value["isBase64Encoded"] else value["body"].encode()
    return value["statusCode"], value["headers"]["content-type"], sent


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known["text"])
def test_a_vector_agrees_with_the_original_model(function: Emulator, known: dict[str, Any]) -> None:
    status, _, body = ask(function, json.dumps({"text": known["text"]}).encode())
    assert status == 200
    assert float(np.dot(json.loads(body)["vector"], known["vector"])) > 0.999


def test_every_byte_is_that_of_the_local_provider(
    function: Emulator, ask_locally: Callable[[bytes], Answer]
) -> None:
    for body in BODIES:
        assert ask(function, body) == ask_locally(body)


def test_a_direct_call_gives_the_same_vector(function: Emulator) -> None:
    assert function.invoke(json.loads(BODIES[0])).value == json.loads(ask(function, BODIES[0])[2])
