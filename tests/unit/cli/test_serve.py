import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import pytest
from tests.fakes.bundle import FakeBuild
from tests.fakes.command_line import CommandLine
from tests.fakes.projects import write_project

from preheat.bundle.model import Bundle, Layer, LayerName, Target
from preheat.bundle.serving import SCRIPT
from preheat.progress import Report
from preheat.project.model import Project


class Became(BaseException):
    """This process would now be another program."""


@dataclass
class Kernel:
    """Takes the place of execve, and keeps what it was given."""

    program: str = ""
    arguments: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)

    def execute(self, program: str, arguments: list[str], environment: Mapping[str, str]) -> NoReturn:
        self.program, self.arguments, self.environment = program, arguments, environment
        assert os.get_inheritable(int(self.value("--listener")))
        with socket.socket(fileno=os.dup(int(self.value("--listener")))) as listener:
            self.port = listener.getsockname()[1]
        raise Became

    def value(self, flag: str) -> str:
        return self.arguments[self.arguments.index(flag) + 1]


class LayeredBuild(FakeBuild):
    """A bundle with three layers, which are empty folders below the project."""

    def __call__(self, project: Project, target: Target, *, report: Report, upgrade: bool = False) -> Bundle:
        bundle = super().__call__(project, target, report=report, upgrade=upgrade)
        names: tuple[LayerName, ...] = ("code", "dependencies", "weights")
        layers = [Layer(name=name, digest="sha256:0", bytes=0, path=project.root / name) for name in names]
        return replace(bundle, layers=tuple(layers))


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def cli(kernel: Kernel) -> CommandLine:
    return CommandLine(build=LayeredBuild(), execute=kernel.execute)


def test_it_becomes_the_server_of_the_bundle_on_a_socket_that_it_has_bound(
    cli: CommandLine, kernel: Kernel, root: Path
) -> None:
    with pytest.raises(Became):
        cli("serve", "--port", "0", "--workers", "2", "--access-log")
    assert kernel.arguments[0] == kernel.program
    assert Path(kernel.program).name.startswith("python3")
    assert kernel.arguments[1:7] == ["-I", "-S", "-B", "-X", "utf8", str(root / "code" / SCRIPT)]
    assert kernel.value("--dependencies") == str(root / "dependencies")
    assert kernel.value("--weights") == str(root / "weights")
    assert kernel.value("--workers") == "2"
    assert "--queue" not in kernel.arguments
    assert "--access-log" in kernel.arguments
    assert kernel.port > 0


def test_the_bound_of_the_queue_is_passed_on(cli: CommandLine, kernel: Kernel, root: Path) -> None:
    with pytest.raises(Became):
        cli("serve", "--port", "0", "--queue", "7")
    assert kernel.value("--queue") == "7"


def test_the_bundle_is_built_for_this_python_with_what_the_server_needs(
    cli: CommandLine, kernel: Kernel, root: Path
) -> None:
    with pytest.raises(Became):
        cli("serve", "--port", "0")
    (target,) = cli.build.targets
    assert target.entry == ("preheat.runtime.server.entry",)
    assert target.python == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert any(line.startswith("fastapi") for line in target.requirements)


def test_the_projects_variables_and_secrets_win_over_the_shells(
    cli: CommandLine, kernel: Kernel, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(root, '[env]\nMODE = "quick"\n[secrets]\nKEY = "env:OUTER"\n')
    for name, value in (("MODE", "slow"), ("OUTER", "hunter2"), ("OMP_NUM_THREADS", "3")):
        monkeypatch.setenv(name, value)
    with pytest.raises(Became):
        cli("serve", "--port", "0")
    found = {name: kernel.environment[name] for name in ("MODE", "KEY", "OMP_NUM_THREADS")}
    assert found == {"MODE": "quick", "KEY": "hunter2", "OMP_NUM_THREADS": "3"}
    assert "hunter2" not in str(kernel.arguments)


def test_a_secret_without_a_value_is_found_in_its_line(
    cli: CommandLine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(root, '[secrets]\nKEY = "env:OUTER"\n')
    monkeypatch.delenv("OUTER", raising=False)
    assert "preheat.toml:4: The secret KEY" in cli("serve", "--port", "0").err


def test_a_port_in_use_names_its_holder_and_nothing_is_built(cli: CommandLine, root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = cli("serve", "--port", str(taken.getsockname()[1]))
    assert outcome.code == 1
    assert f"pid {os.getpid()}" in outcome.err
    assert "--port N" in outcome.err
    assert cli.build.targets == []


def test_a_project_that_wants_a_token_is_not_opened_to_others_without_one(
    cli: CommandLine, kernel: Kernel, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = cli("serve", "--port", "0", "--host", "0.0.0.0")
    assert outcome.code == 1
    assert "--token-env NAME" in outcome.err
    monkeypatch.setenv("KEY", "s3cret")
    with pytest.raises(Became):
        cli("serve", "--port", "0", "--host", "0.0.0.0", "--token-env", "KEY")
    assert kernel.value("--token-env") == "KEY"
    write_project(root, '[triggers.http]\nauth = "none"\n')
    with pytest.raises(Became):
        cli("serve", "--port", "0", "--host", "0.0.0.0")


def test_a_token_variable_that_is_not_set_is_said_before_anything_is_built(
    cli: CommandLine, root: Path
) -> None:
    outcome = cli("serve", "--port", "0", "--token-env", "NO_SUCH_KEY")
    assert outcome.code == 1
    assert "export NO_SUCH_KEY=" in outcome.err


def test_what_is_wrong_in_the_handler_is_said_before_anything_is_built(cli: CommandLine, root: Path) -> None:
    write_project(root, handler="import preheat\nclass Model(preheat.Handler): ...\n")
    outcome = cli("serve", "--port", "0")
    assert outcome.code == 1
    assert "predict" in outcome.err


def test_grpc_is_passed_on_and_its_packages_are_built_in(
    cli: CommandLine, kernel: Kernel, root: Path
) -> None:
    with pytest.raises(Became):
        cli("serve", "--port", "0", "--grpc-port", "8001")
    (target,) = cli.build.targets
    assert (kernel.value("--grpc-port"), kernel.value("--host")) == ("8001", "127.0.0.1")
    assert any(line.startswith("grpcio") for line in target.requirements)


def test_grpc_with_several_workers_is_refused_before_anything_is_built(cli: CommandLine, root: Path) -> None:
    outcome = cli("serve", "--port", "0", "--grpc-port", "8001", "--workers", "2")
    assert outcome.code == 2
    assert "--grpc-port needs --workers 1" in outcome.err
    assert cli.build.targets == []
