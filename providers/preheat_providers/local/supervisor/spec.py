"""One release as the client sends it and the state file keeps it: plain JSON, with no secret in it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from preheat.interface.manifest import Limits
from preheat.project.model import (
    HttpTrigger,
    ObjectCreated,
    QueueTrigger,
    Resources,
    Scaling,
    Schedule,
    Trigger,
)
from preheat_providers.local.options import Options, read_options

TRIGGERS: Mapping[str, type[Trigger]] = {
    "http": HttpTrigger,
    "object-created": ObjectCreated,
    "queue": QueueTrigger,
    "schedule": Schedule,
}


def trigger_document(trigger: Trigger) -> dict[str, Any]:
    """Return `trigger` as JSON values, its type included."""
    kind = next(name for name, cls in TRIGGERS.items() if isinstance(trigger, cls))
    return {"type": kind, **asdict(trigger)}


def read_trigger(document: Mapping[str, Any]) -> Trigger:
    """Return the trigger that `trigger_document` wrote."""
    fields = {key: value for key, value in document.items() if key != "type"}
    return TRIGGERS[document["type"]](**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Everything that runs one release of one function.

    `python` is the interpreter, `code`, `dependencies` and `weights` are folders of the layer
    cache, `observed` the resources as `observe` reports them, `secrets` the names of the
    variables whose values lie in a file of their own.
    """

    name: str
    stage: str
    digest: str
    python: Path
    code: Path
    dependencies: Path
    weights: Path
    contract: Mapping[str, Any]
    resources: Resources
    scaling: Scaling
    limits: Limits
    triggers: tuple[Trigger, ...]
    env: Mapping[str, str]
    secrets: tuple[str, ...]
    options: Options
    observed: tuple[Mapping[str, Any], ...]

    @property
    def function(self) -> str:
        """The identity `name@stage`."""
        return f"{self.name}@{self.stage}"

    @property
    def http(self) -> HttpTrigger:
        """The endpoint's settings."""
        return next(trigger for trigger in self.triggers if isinstance(trigger, HttpTrigger))

    @property
    def layers(self) -> tuple[Path, ...]:
        """The folders that must exist for a worker to start."""
        return (self.code, self.dependencies, self.weights)

    def to_json(self) -> str:
        """Return the release as JSON, the same text for the same release; its contract keeps its order."""
        document = {
            "name": self.name,
            "stage": self.stage,
            "digest": self.digest,
            "python": str(self.python),
            "code": str(self.code),
            "dependencies": str(self.dependencies),
            "weights": str(self.weights),
            "contract": dict(self.contract),
            "resources": asdict(self.resources),
            "scaling": asdict(self.scaling),
            "limits": asdict(self.limits),
            "triggers": [trigger_document(trigger) for trigger in self.triggers],
            "env": dict(sorted(self.env.items())),
            "secrets": list(self.secrets),
            "options": self.options.document(),
            "observed": [dict(resource) for resource in self.observed],
        }
        return json.dumps(document)


def read_spec(text: str) -> Spec:
    """Return the release that `Spec.to_json` wrote."""
    document = json.loads(text)
    return Spec(
        name=document["name"],
        stage=document["stage"],
        digest=document["digest"],
        python=Path(document["python"]),
        code=Path(document["code"]),
        dependencies=Path(document["dependencies"]),
        weights=Path(document["weights"]),
        contract=document["contract"],
        resources=Resources(**document["resources"]),
        scaling=Scaling(**document["scaling"]),
        limits=Limits(**document["limits"]),
        triggers=tuple(read_trigger(trigger) for trigger in document["triggers"]),
        env=document["env"],
        secrets=tuple(document["secrets"]),
        options=read_options(document["options"]),
        observed=tuple(document["observed"]),
    )
