"""One registry, one base and one home for the images of a test run, all in one process."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from tests.fakes.aws.cloud import Cloud, account
from tests.fakes.aws.registry_door import Door, registry_door
from tests.fakes.containers import PYTHON, Podman, base_archive, check_tools, environment, push_base, registry
from tests.fakes.projects import write_project

HANDLER = """
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import preheat


@dataclass
class Query:
    vector: list[float]
    wait_s: float = 0.0
    grow_mb: int = 0
    write: str = ""
    uid: bool = False


@dataclass
class Answer:
    result: list[float]
    mode: str
    uid: int


class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self.matrix = np.frombuffer(Path(ctx.weights["matrix"]).read_bytes(), np.float64).reshape(4, 4)

    def examples(self) -> list[Query]:
        return [Query([1, 2, 3, 4])]

    def predict(self, query: Query) -> Answer:
        time.sleep(query.wait_s)
        grown = bytearray(query.grow_mb << 20)
        grown[::4096] = bytes(len(grown[::4096])).replace(bytes(1), b"x")
        if query.write:
            Path(query.write).write_text("x")
        result = np.exp(self.matrix @ np.asarray(query.vector))
        return Answer(result.tolist(), os.environ["MODE"], os.getuid() if query.uid else -1)
"""
TOML = f"""
python = "{PYTHON}"
requirements = ["numpy>=2"]

[weights.matrix]
source = "file:matrix.bin"

[triggers.http]
auth = "none"

[env]
MODE = "quick"
AWKWARD = "a\\ttab, \\"quotes\\", $HOME ${{MODE:-x}}, back\\\\slash, größe 🎉 \\\\"
"""
Preheat = Callable[..., dict[str, Any]]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/functional/images/" in item.path.as_posix():
            item.add_marker(pytest.mark.xdist_group("images"))
            item.add_marker(pytest.mark.runtime)
            item.add_marker(pytest.mark.index)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    check_tools()
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="session")
def host(shared: Path) -> Iterator[str]:
    with registry(shared) as host:
        yield host


@pytest.fixture(scope="session")
def base(host: str, shared: Path) -> str:
    return push_base(host, base_archive(), "base", folder=shared)


@pytest.fixture(scope="session")
def preheat(shared: Path) -> Preheat:
    """Runs `preheat ARGUMENTS --json` in the home of the test run, or another; returns its object.

    With `later`, such as `+3d`, its clock and that of whatever it starts goes that much ahead.
    """

    def run(
        *arguments: str,
        home: Path | None = None,
        docker: Path | None = None,
        later: str | None = None,
        code: int = 0,
    ) -> dict[str, Any]:
        logins = {"DOCKER_CONFIG": str(docker)} if docker is not None else {}
        clock = ["faketime", "-f", later] if later is not None else []
        done = subprocess.run(
            [*clock, Path(sys.executable).with_name("preheat"), *arguments, "--json"],
            env={**environment(home or shared / "home"), **logins},
            cwd=shared,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    return run


@pytest.fixture(scope="session")
def project(shared: Path) -> Path:
    root = write_project(shared / "demo", TOML, handler=HANDLER)
    (root / "matrix.bin").write_bytes(bytes(range(1, 17)).ljust(128, b"\x3f"))
    return root


@pytest.fixture(scope="session")
def pushed(preheat: Preheat, project: Path, host: str, base: str) -> dict[str, Any]:
    """What the first push said."""
    return preheat("image", "push", f"{host}/demo:v1", str(project), "--base", base)


@pytest.fixture(scope="session")
def cloud(shared: Path) -> Iterator[Cloud]:
    with account() as cloud:
        cloud.client("ecr").create_repository(repositoryName="demo")
        yield cloud


@pytest.fixture(scope="session")
def ecr(cloud: Cloud) -> Iterator[Door]:
    with registry_door(cloud) as door:
        yield door


@pytest.fixture(scope="session")
def logged_in(ecr: Door, shared: Path) -> Path:
    """The folder that `docker login` leaves: its own configuration, with ECR's user and password."""
    folder = shared / "docker"
    folder.mkdir()
    auth = base64.b64encode(":".join(ecr.login).encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {ecr.host: {"auth": auth}}}))
    return folder


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    podman = Podman(Path(mkdtemp(prefix="preheat-", dir="/tmp")))  # podman takes no path over 50 characters
    yield podman
    podman.close()


@pytest.fixture(scope="session")
def image(podman: Podman, pushed: dict[str, Any]) -> str:
    """The pushed image in podman's store."""
    name: str = pushed["reference"].replace(":v1@", "@")
    podman.run("pull", "--quiet", "--tls-verify=false", name)
    return name
