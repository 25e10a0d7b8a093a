"""How many containers run, and how many requests one takes: from preheat.toml and the contract. Pure."""

import math
from collections.abc import Mapping
from typing import Any

from preheat.project.model import Project
from preheat_providers.modal.app.spec import Scale
from preheat_providers.modal.options import Options

ASYNC_AT_ONCE = 32
"""What one process takes of an async handler, as the engine has it."""

SPARE_INPUTS = 1
"""Inputs beyond what the model takes: asking for a job's state, or for health, starts no other container."""


def scale_of(project: Project, options: Options) -> Scale:
    """Return what `[provider.modal]` says of containers, else what `[scaling]` does."""
    scaling = project.scaling
    return Scale(
        min_containers=_said(options.min_containers, scaling.min),
        max_containers=_said(options.max_containers, scaling.max),
        buffer_containers=_said(options.buffer_containers, scaling.warm),
        scaledown_window=_said(options.scaledown_window, math.ceil(scaling.idle_s)),
    )


def inputs_of(project: Project, options: Options, contract: Mapping[str, Any] | None) -> tuple[int, int]:
    """Return how many requests Modal may hand to one container, and how many it is to aim at.

    `contract` is the handler's contract document, or None where it is not known; then a container takes one
    request at a time unless preheat.toml says more.
    """
    at_once = options.concurrency or project.scaling.concurrency or _at_once(contract)
    return at_once + SPARE_INPUTS, at_once


def _at_once(contract: Mapping[str, Any] | None) -> int:
    """Return what `preheat.runtime.engine.concurrency_of` says of the handler itself."""
    if contract is None:
        return 1
    if contract.get("batching"):
        return 2 * int(contract["batching"]["max_size"])
    return ASYNC_AT_ONCE if contract.get("async") else int(contract.get("threads", 1))


def _said(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value
