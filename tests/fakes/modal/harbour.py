"""Projects as they are deployed to the control plane, by the real client, and asked over HTTP."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.modal.container import Container
from tests.fakes.modal.plane import ControlPlane
from tests.fakes.modal.versions import VARIABLE, client_python

from preheat.bundle.build import build
from preheat.bundle.model import Bundle
from preheat.progress import quiet
from preheat.project.config import load_project
from preheat.project.model import Project
from preheat_providers.modal.app.file import CLASS, WEB
from preheat_providers.modal.app.making import app_spec, lay_out, pins_of
from preheat_providers.modal.app.spec import AppSpec
from preheat_providers.modal.options import SCHEMA, read_options
from preheat_providers.modal.target import target_of

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
FUNCTION = f"{CLASS}.*"
TOKEN = "let-me-in"
NOT_FOR_OTHERS = ("PYTHONDONTWRITEBYTECODE", "PREHEAT_HOME", "PYTHONPATH")
SAID = "zoo: "


@dataclass(frozen=True)
class Shipped:
    """A deployed app."""

    plane: ControlPlane
    spec: AppSpec
    project: Project
    http: httpx.Client = field(repr=False)

    def post(self, order: Any, **more: Any) -> httpx.Response:
        return self.http.post("/invocations", json=order, **more)

    def container(self) -> Container:
        """Its only container, or the first one that is asked for."""
        mine = [c for c in self.plane.containers if c.function.app.name == self.spec.app]
        return mine[-1] if mine else self.plane.start(self.spec.app, FUNCTION)

    def said(self) -> list[str]:
        """What the handlers of all its containers have said, in order."""
        mine = (c for c in self.plane.containers if c.function.app.name == self.spec.app)
        lines = (line.strip() for container in mine for line in container.lines)
        return [line.removeprefix(SAID) for line in lines if line.startswith(SAID)]


class Harbour:
    """Builds projects and deploys them to `plane`, each under a name of its own."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane = plane
        self._folder = folder
        self._number = 0
        self._clients: list[httpx.Client] = []

    def ship(
        self,
        source: Path,
        texts: Mapping[str, str] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        token: str | None = TOKEN,
        numbered: bool = True,
        **changes: Any,
    ) -> Shipped:
        """Deploy the project in `source`; `texts` are replaced in its preheat.toml, `changes` in the spec."""
        self._number += 1
        root = Path(shutil.copytree(source, self._folder / f"project-{self._number}" / source.name))
        toml = root / "preheat.toml"
        for old, new in (texts or {}).items():
            assert old in toml.read_text()
            toml.write_text(toml.read_text().replace(old, new))
        project = load_project(root, "dev", provider_schemas={"modal": SCHEMA})
        name = f"{project.name}-{self._number}" if numbered else project.name
        project = replace(project, python=PYTHON, name=name)
        bundle = self.bundle(project)
        sha256 = hashlib.sha256(token.encode()).hexdigest() if token else None
        read = read_options(options or project.provider.get("modal", {}))
        spec = replace(app_spec(project, read, bundle, release="1", token_sha256=sha256), **changes)
        self.deploy(project, spec, bundle)
        url = self.plane.url(spec.app, FUNCTION, WEB)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False)
        self._clients.append(client)
        return Shipped(self.plane, spec, project, client)

    def close(self) -> None:
        """Close the connections of everything that was shipped."""
        for client in self._clients:
            client.close()

    def bundle(self, project: Project) -> Bundle:
        """Build `project` with a cache that all tests share."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PREHEAT_HOME", str(self._folder / "home"))
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            return build(project, target_of(project), report=quiet)

    def deploy(self, project: Project, spec: AppSpec, bundle: Bundle) -> None:
        """Lay `spec` out and hand it to Modal's own command."""
        self._number += 1
        folder = self._folder / f"app-{self._number}"
        folder.mkdir()
        self.command(lay_out(folder, spec, bundle, pins_of(project, bundle)))

    def command(self, file: Path) -> None:
        """Run `modal deploy` of the client under test on `file`, in its folder."""
        environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_OTHERS}
        done = subprocess.run(
            [client_python(os.environ.get(VARIABLE, "")), "-m", "modal", "deploy", str(file)],
            env=environment | self.plane.environment(file.parent) | {"NO_COLOR": "1"},
            cwd=file.parent,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
