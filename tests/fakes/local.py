"""The local provider over a real supervisor of its own home, with bundles laid by hand instead of built."""

import hashlib
import json
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.fakes.code_layer import make_code_layer
from tests.fakes.patience import PATIENCE_S
from tests.fakes.wheels import lay_installed

from preheat.bundle.model import Bundle, Layer
from preheat.interface.manifest import Limits
from preheat.interface.message import Request, Response
from preheat.plan.diff import diff
from preheat.plan.model import Plan
from preheat.progress import Event, Step
from preheat.project.model import HttpTrigger, Project, Resources, Scaling
from preheat.provider.protocol import Deployment, Status
from preheat_providers.local.client import SupervisorClient
from preheat_providers.local.provider import LocalProvider

CONTRACT: Mapping[str, Any] = {
    "reference": "app:Model",
    "title": "Model",
    "description": "",
    "input": {"type": "string"},
    "output": {"type": "string"},
    "batching": None,
    "stream": False,
    "input_media": ["application/json"],
    "output_media": ["application/json"],
    "examples": [],
}

UPPER = """
    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> str:
            return text.upper()
"""


def project(**overrides: Any) -> Project:
    """Return a project with an open endpoint and small bounds."""
    known: dict[str, Any] = {
        "root": Path(),
        "stage": "dev",
        "name": "demo",
        "handler": "app:Model",
        "triggers": (HttpTrigger(auth="none"),),
        "resources": Resources(timeout_s=20.0),
        "scaling": Scaling(max=2),
        "limits": Limits(timeout_s=20.0, setup_s=20.0),
    }
    return Project(**{**known, **overrides})


def lay_bundle(root: Path, source: str, provider: LocalProvider, of: Project, **contract: Any) -> Bundle:
    """Lay a bundle below `root` whose handler is the class `Model` in `source`."""
    hexdigest = hashlib.sha256(f"{source}{of.limits}".encode()).hexdigest()
    folder = root / hexdigest[:16]
    layers = []
    for name in ("code", "dependencies", "weights"):
        path = folder / name
        if not path.exists():
            path.mkdir(parents=True)
            if name == "code":
                make_code_layer(path, textwrap.dedent(source), limits=of.limits)
            elif name == "dependencies":
                lay_installed(path, "orjson")
        layers.append(Layer(name=name, digest=f"sha256:{hexdigest}", bytes=1, path=path))
    return Bundle(
        digest=f"sha256:{hexdigest}",
        target=provider.target(of),
        layers=tuple(layers),
        sizes=(),
        path=folder,
        cached=False,
        contract={**CONTRACT, **contract},
    )


@dataclass(slots=True)
class Local:
    """One home, its provider, and the project that is deployed there."""

    root: Path
    project: Project = field(default_factory=project)
    steps: list[str] = field(default_factory=list)
    contract: dict[str, Any] = field(default_factory=dict)

    @property
    def client(self) -> SupervisorClient:
        return SupervisorClient(self.root / "home", python=sys.executable)

    @property
    def provider(self) -> LocalProvider:
        return LocalProvider(self.client)

    def configure(self, **overrides: Any) -> None:
        self.project = replace(self.project, **overrides)

    def report(self, event: Event) -> None:
        assert isinstance(event, Step)
        self.steps.append(event.text)

    def bundle(self, source: str) -> Bundle:
        return lay_bundle(self.root / "layers", source, self.provider, self.project, **self.contract)

    def plan(self, source: str) -> Plan:
        bundle = self.bundle(source)
        desired = self.provider.desired(self.project, bundle)
        observed = self.provider.observe(self.project.name, self.project.stage)
        return Plan(
            name=self.project.name,
            stage=self.project.stage,
            provider="local",
            digest=bundle.digest,
            changes=diff(desired, observed),
            unzipped_bytes=0,
            unzipped_limit=None,
            sizes={},
        )

    def deploy(self, source: str = UPPER) -> Deployment:
        plan = self.plan(source)
        return self.provider.apply(plan, self.project, self.bundle(source), report=self.report)

    def invoke(self, value: Any, **fields: Any) -> Response:
        request = Request(body=json.dumps(value).encode(), id="test", **fields)
        return self.provider.invoke(self.project.name, self.project.stage, request)

    def answer(self, value: Any) -> Any:
        response = self.invoke(value)
        assert response.status == 200, response
        return json.loads(response.body)

    def status(self) -> Status:
        return self.provider.status(self.project.name, self.project.stage)[0]

    def events(self, event: str) -> list[Mapping[str, Any]]:
        lines = self.provider.logs(self.project.name, self.project.stage, follow=False)
        return [line for line in lines if line["event"] == event]

    def until_logged(self, event: str, *, times: int = 1) -> Mapping[str, Any]:
        """Follow the log until `event` has appeared in it that often, what it held before included."""
        for line in self.provider.logs(self.project.name, self.project.stage, follow=True):
            times -= line["event"] == event
            if times == 0:
                return line
        raise AssertionError(f"the log ended without {event}")


def get(url: str) -> tuple[int, bytes]:
    """GET `url`."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
