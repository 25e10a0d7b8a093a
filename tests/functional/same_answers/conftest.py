"""Every project of the repository twice: deployed on this machine, and under Lambda's own runtime."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.asking import Asked, ask_endpoint
from tests.fakes.lambda_emulator import Emulator
from tests.functional.aws_lambda.emulator.conftest import Unpack, bare, unpack

from preheat.deploy import deploy
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat_providers.aws_lambda.options import SCHEMA, Options
from preheat_providers.aws_lambda.shipped.settings import Settings
from preheat_providers.aws_lambda.target import environment_of
from preheat_providers.local.client import SupervisorClient
from preheat_providers.local.provider import LocalProvider

__all__ = ["bare", "unpack"]

ROOT = Path(__file__).parents[3]
PROJECTS = {
    path.parent.name: path.parent
    for folder in ("examples", "tests/contract/projects")
    for path in sorted(ROOT.glob(f"{folder}/*/preheat.toml"))
}
BODY_MB = 1
"""What every project takes here, so that a little more than that still fits into an event of Lambda."""


@dataclass(frozen=True)
class Pair:
    """One project on both platforms. `examples` are the handler's own, as JSON."""

    name: str
    root: Path
    endpoint: str
    function: Emulator
    authorization: dict[str, str]
    examples: tuple[Any, ...]
    is_stream: bool


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProvider]:
    """The provider for this machine, with a supervisor of its own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREHEAT_HOME", str(home))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        provider = LocalProvider(SupervisorClient(home))
        yield provider
        SupervisorClient(home).shut_down()


@pytest.fixture(scope="module", params=PROJECTS)
def pair(
    request: pytest.FixtureRequest,
    local: LocalProvider,
    unpack: Unpack,
    bare: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    root = Path(shutil.copytree(PROJECTS[request.param], tmp_path_factory.mktemp("same") / request.param))
    limit_bodies(root / "preheat.toml")
    deployed = deploy(root, provider=local, stage="dev", report=quiet)
    project = load_project(root, "dev", provider_schemas={"aws_lambda": SCHEMA})
    token = deployed.token
    sha256 = hashlib.sha256(token.encode()).hexdigest() if token else None
    env = {
        **project.env,
        **environment_of(project, Options()),
        **Settings(stage="dev", token_sha256=sha256).environment(),
        "AWS_LAMBDA_FUNCTION_VERSION": str(deployed.release),
    }
    schema = json.loads(ask_endpoint(deployed.endpoint, Asked(None, path="/schema", method="GET"))[2])
    with Emulator(unpack(root), python=bare, env=env, memory_mb=1769, timeout_s=60) as function:
        yield Pair(
            name=deployed.name,
            root=root,
            endpoint=deployed.endpoint,
            function=function,
            authorization={"authorization": f"Bearer {token}"} if token else {},
            examples=tuple(schema["examples"]),
            is_stream=schema["stream"],
        )
    local.destroy(deployed.name, "dev", report=quiet)


def limit_bodies(toml: Path) -> None:
    """Set the limit of what a caller may send."""
    text = re.sub(r"(?m)^body_mb = .*$", f"body_mb = {BODY_MB}", toml.read_text())
    if f"body_mb = {BODY_MB}" not in text:
        text += f"\n[limits]\nbody_mb = {BODY_MB}\n"
    toml.write_text(text)
