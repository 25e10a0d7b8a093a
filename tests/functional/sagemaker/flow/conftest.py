"""Deployed projects whose images run: pulled from the account's registry, started as SageMaker starts it.

An upload or a request goes through the small functions on Lambda's real runtime, our own asynchronous queue
(not AWS's) and the container, by podman and runc.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.containers import Container, Podman
from tests.fakes.functions import Function, Functions
from tests.fakes.sagemaker.account import Account, Running, nothing

from preheat.progress import quiet


@dataclass(frozen=True)
class Contained:
    """A container of podman's, which ends with it."""

    container: Container

    @property
    def address(self) -> str:
        """Where it answers."""
        return self.container.endpoint

    def new_lines(self) -> list[str]:
        """Return none: they are podman's."""
        return []

    def close(self) -> None:
        """Leave it to podman."""


@pytest.fixture(scope="module")
def podman(account: Account) -> Iterator[Podman]:
    """Podman, with the login of the account's registry."""
    podman = Podman(Path(tempfile.mkdtemp(prefix="podman-")))  # it takes a path of 50 characters at most
    yield podman
    podman.close()


@pytest.fixture(scope="module")
def in_containers(account: Account, podman: Podman) -> Iterator[None]:
    """What an endpoint comes to run runs in podman."""
    user, password = account.door.login

    def launch(model: dict[str, Any]) -> Running:
        container = model["PrimaryContainer"]
        image = f"{account.door.host}/{container['Image'].partition('/')[2]}"
        podman.run("pull", "--quiet", "--tls-verify=false", "--creds", f"{user}:{password}", image)
        given = [f"--env={name}={value}" for name, value in container["Environment"].items()]
        return Contained(podman.start(image, *given, arguments=("serve",)))

    account.launch = launch
    yield
    account.launch = nothing


@pytest.fixture(scope="module")
def words(functions: Functions, in_containers: None) -> Iterator[Function]:
    """The deployed project, with one instance."""
    function = functions.fresh("words")
    function.edit("preheat.toml", "[resources]", "[provider.sagemaker]\nnotify = true\n\n[resources]")
    yield function
    function.provider.destroy(function.name, function.stage, report=quiet)
