"""The projects of tests/contract, deployed to a provider under names that no other run uses."""

import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from preheat.deploy import Pipeline
from preheat.interface.message import JSON_TYPE, Request, Response
from preheat.plan.model import Plan
from preheat.progress import Report, quiet
from preheat.project.model import EMPTY
from preheat.provider.protocol import Deployment, Provider, Release, Status

PROJECTS = Path(__file__).parent.parent / "contract" / "projects"
STAGE = "dev"


@dataclass(frozen=True, kw_only=True)
class Function:
    """One project in a folder of its own, at one stage of one provider."""

    provider: Provider
    root: Path
    name: str
    stage: str = STAGE
    options: Mapping[str, Any] = field(default_factory=lambda: EMPTY)

    def deploy(self) -> Deployment:
        """Run the pipeline."""
        return self.pipeline().deploy(self.root)

    def plan(self) -> Plan:
        """Return what deploying would change."""
        pipeline = self.pipeline()
        return pipeline.prepare(pipeline.project(self.root)).plan

    def pipeline(self, report: Report = quiet) -> Pipeline:
        """Return what deploys it, telling `report`."""
        return Pipeline(provider=self.provider, stage=self.stage, report=report, options=self.options)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace text in one of the project's files."""
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def send(self, body: bytes, content_type: str = JSON_TYPE, **fields: Any) -> Response:
        """Send one request."""
        request = Request(body=body, content_type=content_type, id=uuid.uuid4().hex, **fields)
        return self.provider.invoke(self.name, self.stage, request)

    def ask(self, value: Any) -> Any:
        """Send JSON and return the JSON of a good answer."""
        response = self.send(json.dumps(value).encode())
        assert (response.status, response.content_type) == (200, JSON_TYPE), response.body
        return json.loads(response.body)

    def status(self) -> Status:
        """Return the function as it is now."""
        [status] = self.provider.status(self.name, self.stage)
        return status

    def releases(self) -> tuple[Release, ...]:
        """Return the releases, newest first."""
        return self.provider.releases(self.name, self.stage)


class Functions:
    """Deploys each of `projects` once; what changes a function takes a `fresh` one.

    `settings` are lines for the head of every preheat.toml; `options` win over its table of this provider.
    """

    def __init__(
        self,
        provider: Provider,
        folder: Path,
        *,
        projects: Path = PROJECTS,
        settings: str = "",
        options: Mapping[str, Any] = EMPTY,
    ) -> None:
        self._provider = provider
        self._folder = folder
        self._projects = projects
        self._settings = settings
        self._options = options
        self._shared: dict[str, Function] = {}
        self._all: list[Function] = []

    def shared(self, project: str) -> Function:
        """Return the deployed project that every test may send requests to."""
        if project not in self._shared:
            function = self.fresh(project)
            function.deploy()
            self._shared[project] = function
        return self._shared[project]

    def fresh(self, project: str) -> Function:
        """Return a copy of the project under a new name, not deployed."""
        name = f"{project}-{uuid.uuid4().hex[:8]}"
        root = self._folder / name
        shutil.copytree(self._projects / project, root, ignore=shutil.ignore_patterns("__pycache__"))
        function = Function(provider=self._provider, root=root, name=name, options=self._options)
        function.edit("preheat.toml", f'name = "{project}"', f'{self._settings}name = "{name}"')
        self._all.append(function)
        return function

    def at_stage(self, function: Function, stage: str) -> Function:
        """Return the same project at another stage, not deployed."""
        other = replace(function, stage=stage)
        self._all.append(other)
        return other

    def destroy_all(self) -> None:
        """Remove what is still deployed."""
        deployed = {(status.name, status.stage) for status in self._provider.status(None, None)}
        for function in self._all:
            if (function.name, function.stage) in deployed:
                self._provider.destroy(function.name, function.stage, report=quiet)
