"""What is measured: a bundle that this machine can run, how it starts, and what it is asked. Reads disk."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from preheat.bundle.interpreter import Interpreter, find_interpreter, native_platform, runs_here
from preheat.bundle.model import Bundle, Layer
from preheat.coldstart.pages import files_below
from preheat.errors import BundleError, HandlerError, ProviderError
from preheat.interface.message import JSON_TYPE, Request
from preheat.project.model import Project
from preheat.provider.protocol import Provider, Rehearses
from preheat.provider.rehearsal import Rehearsal
from preheat.runtime.cpus import threads_of
from preheat.runtime.streams import LINES_TYPE

OURS = frozenset({"preheat", "preheat_providers", "preheat_handlers"})
FUNCTIONS = "preheat_handlers.function:"
SPARE_S = 10.0
"""What the interpreter and the runtime may take beyond the project's own limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One bundle and how its process starts here."""

    bundle: Bundle
    project: Project
    provider: Rehearses
    rehearsal: Rehearsal
    interpreter: Interpreter

    @property
    def contract(self) -> Mapping[str, Any]:
        """What the build has learned of the handler."""
        assert self.bundle.contract is not None
        return self.bundle.contract

    @property
    def limit_s(self) -> float:
        """How long one start and two answers may take."""
        return self.project.limits.setup_s + 2 * self.project.limits.timeout_s + SPARE_S

    @property
    def threads(self) -> int:
        """How many threads its native libraries should have: a worker's share of processors."""
        return threads_of(self.project.resources.cpu, workers=1)

    @property
    def request(self) -> Request:
        """The first of the handler's examples."""
        accept = LINES_TYPE if self.contract.get("stream") else JSON_TYPE
        return Request(id="coldstart", body=json.dumps(self.contract["examples"][0]).encode(), accept=accept)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of the bundle."""
        return tuple(files_below(layer.path for layer in self.bundle.layers))

    @property
    def path(self) -> tuple[Path, Path]:
        """Where its modules lie."""
        return self.bundle.layer("code").path, self.bundle.layer("dependencies").path

    @property
    def weights(self) -> Layer:
        """The layer of weights."""
        return self.bundle.layer("weights")

    @property
    def own_modules(self) -> frozenset[str]:
        """The names at the top of the user's code."""
        names = {entry.name.partition(".")[0] for entry in os.scandir(self.bundle.layer("code").path)}
        return frozenset(names - OURS - {"__pycache__", ""})

    @property
    def handler_module(self) -> str:
        """The module that has the handler."""
        return str(self.contract["reference"]).partition(":")[0]

    def with_weights(self, folder: Path) -> "Subject":
        """Return the same with the weights in `folder`."""
        layers = tuple(
            replace(layer, path=folder) if layer.name == "weights" else layer for layer in self.bundle.layers
        )
        return self.of(replace(self.bundle, layers=layers))

    def of(self, bundle: Bundle) -> "Subject":
        """Return another bundle of the same project."""
        return subject_of(bundle, self.project, self.provider)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A release to compare with."""

    release: int
    subject: Subject


def rehearses(provider: Provider, system: str = sys.platform) -> Rehearses:
    """Return `provider`. Raises ProviderError for one whose entry cannot be started here."""
    if system != "linux":
        raise ProviderError(
            f"A start is measured by what Linux tells of processes and of its page cache; this is {system}.",
            hint="Run the command in a Linux container or in CI.",
        )
    found: object = provider
    if isinstance(found, Rehearses):
        return found
    raise ProviderError(
        f"Nothing of provider {provider.name!r} can be started on this machine.",
        hint="preheat coldstart --provider local",
    )


def subject_of(bundle: Bundle, project: Project, provider: Rehearses) -> Subject:
    """Return what to measure of `bundle`.

    Raises BundleError where this machine cannot run it, HandlerError where the handler has no examples.
    """
    interpreter = _interpreter(bundle)
    if bundle.contract is None:
        raise BundleError(
            f"The bundle of {project.name} has never been run on this machine, so its inputs are unknown.",
            hint="preheat build",
        )
    if not bundle.contract.get("examples"):
        raise HandlerError(
            f"{project.handler} has no examples, so there is nothing to ask a fresh process.",
            hint=f'{project.handler.rpartition(".")[2]}.examples = ["an input"]  # below the function'
            if project.handler.startswith(FUNCTIONS)
            else 'def examples(self): return ["an input"]',
        )
    rehearsal = provider.rehearsal(bundle, project)
    return Subject(
        bundle=bundle, project=project, provider=provider, rehearsal=rehearsal, interpreter=interpreter
    )


def _interpreter(bundle: Bundle) -> Interpreter:
    target = bundle.target
    if not runs_here(target):
        raise BundleError(
            f"The bundle is for {target.platform}, and this machine is {native_platform()}: "
            "it cannot be started here.",
            hint="Run the command on such a machine, or measure the same handler: --provider local",
        )
    interpreter = find_interpreter(target.python)
    if interpreter is None:
        raise BundleError(
            f"The bundle is for Python {target.python}, which is not on this machine.",
            hint=f"uv python install {target.python}",
        )
    return interpreter
