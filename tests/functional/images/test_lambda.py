"""A bundle for Lambda as a container image: out of ECR's emulation, under Lambda's real interface emulator.

The image's own entry point starts under the emulator, which is mounted as AWS's documentation has it:
https://docs.aws.amazon.com/lambda/latest/dg/images-test.html, read on 2026-11-21. It is built as a deploy
with `package = "image"` builds it, and has to answer as the archives of the same project do.
"""

import http.client
import json
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from pathlib import Path

import pytest
from tests.fakes.asking import Answer, Asked, ask_function
from tests.fakes.aws.registry_door import Door
from tests.fakes.containers import PORT, PYTHON, Container, Podman
from tests.fakes.lambda_emulator import (
    INVOKE,
    LISTENS,
    Emulator,
    Reply,
    emulator_binary,
)
from tests.fakes.lambda_events import version_2
from tests.fakes.patience import PATIENCE_S
from tests.fakes.projects import write_project
from tests.functional.aws_lambda.emulator.conftest import Unpack, bare, unpack

from preheat.bundle.build import build
from preheat.bundle.cache import Cache
from preheat.bundle.image.base import Bases
from preheat.bundle.image.image import Image, build_image, find_foundation
from preheat.bundle.image.push import push_image
from preheat.bundle.image.reference import parse_reference
from preheat.bundle.image.registry.credentials import Login
from preheat.bundle.image.registry.registries import Registries
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat_providers.aws_lambda.container import container_of
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.shipped.settings import Settings
from preheat_providers.aws_lambda.target import target_of

__all__ = ["bare", "unpack"]

MODEL = """
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import preheat


@dataclass
class Query:
    vector: list[float]


class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self.matrix = np.frombuffer(Path(ctx.weights["matrix"]).read_bytes(), np.float64).reshape(4, 4)

    def examples(self) -> list[Query]:
        return [Query([1, 2, 3, 4])]

    def predict(self, query: Query) -> list[float]:
        if len(query.vector) != 4:
            raise preheat.BadInput("a vector has four numbers")
        return np.exp(self.matrix @ np.asarray(query.vector) / 100).tolist()
"""
TOML = f"""
python = "{PYTHON}"
requirements = ["numpy>=2"]

[weights.matrix]
source = "file:matrix.bin"

[triggers.http]
auth = "none"
"""
LIKE_LAMBDA = ("--read-only", "--tmpfs", "/tmp:size=512m", "--memory", "512m", "--user", "993")
ASKED = [
    Asked(b'{"vector": [0.1, 0.2, 0.3, 0.4]}'),
    Asked(b'{"vector": [1]}'),
    Asked(b'{"vectors": []}'),
    Asked(b"not json"),
    Asked(None, {}, "/ping", "GET"),
    Asked(None, {}, "/v2/models/function", "GET"),
    Asked(None, {}, "/nowhere", "GET"),
]


@dataclass(frozen=True)
class Function:
    """A container that runs the emulator."""

    container: Container

    def invoke(self, event: object) -> Reply:
        connection = http.client.HTTPConnection(self.container.host, PORT, timeout=PATIENCE_S)
        try:
            connection.request("POST", INVOKE, json.dumps(event))
            answer = connection.getresponse()
            return Reply(answer.status, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def root(shared: Path) -> Path:
    root = write_project(shared / "function", TOML, handler=MODEL)
    (root / "matrix.bin").write_bytes(struct.pack("<16d", *range(16)))
    return root


@pytest.fixture(scope="module")
def image(root: Path, shared: Path, base: str, ecr: Door, cloud: object) -> Image:
    """The image, stored in ECR."""
    project = load_project(root, "dev", provider_schemas={})
    target = target_of(project, Options(package="image"))
    cache = Cache(shared / "home" / "cache")
    with pytest.MonkeyPatch.context() as patch, Registries(lambda host: Login(*ecr.login)) as registries:
        patch.setenv("PREHEAT_HOME", str(shared / "home"))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        bundle = build(project, target, report=quiet)
        foundation = find_foundation(base, target, Bases(root, registries, cache, quiet))
        started = container_of(project)
        image = build_image(bundle, foundation, started, cache=cache, report=quiet, dialect="docker")
        push_image(image, parse_reference(f"{ecr.host}/demo:function"), registries=registries, report=quiet)
    return image


@pytest.fixture(scope="module")
def function(image: Image, podman: Podman, ecr: Door) -> Function:
    name = f"{ecr.host}/demo@{image.digest}"
    podman.run("pull", "--quiet", "--tls-verify=false", "--creds", ":".join(ecr.login), name)
    [found] = json.loads(podman.run("image", "inspect", name))
    mounted = ("--volume", f"{emulator_binary()}:/emulator:ro", "--entrypoint", "/emulator")
    settings = Settings(stage="dev").environment() | {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
    }
    variables = [f"--env={name}={value}" for name, value in settings.items()]
    container = podman.launch(
        name,
        *LIKE_LAMBDA,
        *mounted,
        *variables,
        arguments=("--log-level", "debug", *found["Config"]["Entrypoint"]),
    )
    container.until_written(LISTENS)
    given_up = time.monotonic() + PATIENCE_S
    while not listens(container.host):  # the emulator's other port, which it opens a moment later
        assert time.monotonic() < given_up
    return Function(container)


def listens(host: str) -> bool:
    try:
        socket.create_connection((host, PORT), PATIENCE_S).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.fixture(scope="module")
def zip_function(root: Path, unpack: Unpack, bare: Path) -> Iterator[Emulator]:
    with Emulator(unpack(root), python=bare, env=Settings(stage="dev").environment()) as function:
        yield function


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.method} {asked.path} {asked.body}")
def test_an_http_event_is_answered_as_by_the_function_of_an_archive(
    function: Function, zip_function: Emulator, asked: Asked
) -> None:
    answer: Answer = ask_function(function, asked, version_2)
    assert answer == ask_function(zip_function, asked, version_2)


def test_a_result_is_right_and_not_only_the_same(function: Function) -> None:
    status, _, body = ask_function(function, Asked(b'{"vector": [0, 0, 0, 100]}'), version_2)
    assert (status, json.loads(body)) == (200, [pytest.approx(exp(3 + 4 * row)) for row in range(4)])


def test_it_tells_the_same_of_itself_but_the_answers_that_the_build_put_into_the_archive(
    function: Function, zip_function: Emulator
) -> None:
    asked = Asked(None, {}, "/schema", "GET")
    told, expected = (
        json.loads(ask_function(each, asked, version_2)[2]) for each in (function, zip_function)
    )
    assert expected.pop("answers")
    assert told == expected
