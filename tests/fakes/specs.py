"""A release of a function called `demo` at stage `dev`, with folders that exist."""

import sys
from pathlib import Path
from typing import Any

from preheat.interface.manifest import Limits
from preheat.project.model import HttpTrigger, Resources, Scaling
from preheat_providers.local.options import Options
from preheat_providers.local.supervisor.spec import Spec


def make_spec(root: Path, **overrides: Any) -> Spec:
    """Return a release whose layers lie below `root`."""
    for layer in ("code", "dependencies", "weights"):
        (root / layer).mkdir(exist_ok=True)
    known: dict[str, Any] = {
        "name": "demo",
        "stage": "dev",
        "digest": "sha256:1",
        "python": Path(sys.executable),
        "code": root / "code",
        "dependencies": root / "dependencies",
        "weights": root / "weights",
        "contract": {"batching": None},
        "resources": Resources(),
        "scaling": Scaling(),
        "limits": Limits(),
        "triggers": (HttpTrigger(auth="none"),),
        "env": {},
        "secrets": (),
        "options": Options(),
        "observed": ({"kind": "Function", "name": "demo", "properties": {"digest": "sha256:1"}},),
    }
    return Spec(**{**known, **overrides})
