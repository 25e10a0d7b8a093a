"""Validated values of preheat.toml to the frozen Project. In: one stage's values. Touches nothing."""

import copy
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from preheat.interface.manifest import Limits
from preheat.project.model import (
    Coldstart,
    HttpTrigger,
    ObjectCreated,
    Project,
    QueueTrigger,
    Resources,
    Scaling,
    Schedule,
    Trigger,
    Weights,
)

MB = 1024 * 1024


def merged(values: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Return the values at `stage`: its tables merged key by key, everything else replaced."""
    shared = {key: value for key, value in values.items() if key != "stage"}
    stages = values.get("stage")
    overrides = stages.get(stage) if isinstance(stages, dict) else None
    return _overlaid(shared, overrides) if isinstance(overrides, dict) else _overlaid(shared, {})


def _overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(dict(base))
    for key, value in over.items():
        both = isinstance(result.get(key), dict) and isinstance(value, dict)
        result[key] = _overlaid(result[key], value) if both else copy.deepcopy(value)
    return result


def assemble(root: Path, stage: str, values: Mapping[str, Any], *, requirements: tuple[str, ...]) -> Project:
    """Return the project whose `values` have been validated."""
    resources = _resources(values.get("resources", {}))
    return Project(
        root=root,
        stage=stage,
        name=values["name"],
        handler=values["handler"],
        python=values.get("python"),
        requirements=requirements,
        weights=tuple(
            Weights(name=name, source=entry["source"], sha256=entry.get("sha256"))
            for name, entry in sorted(values.get("weights", {}).items())
        ),
        resources=resources,
        scaling=_scaling(values.get("scaling", {})),
        limits=_limits(values.get("limits", {}), resources.timeout_s),
        coldstart=Coldstart(**values.get("coldstart", {})),
        triggers=_triggers(values.get("triggers", {})),
        env=MappingProxyType(dict(values.get("env", {}))),
        secrets=MappingProxyType(dict(values.get("secrets", {}))),
        provider=MappingProxyType(dict(values.get("provider", {}))),
    )


def _resources(table: Mapping[str, Any]) -> Resources:
    default = Resources()
    return Resources(
        memory_mb=int(table.get("memory_mb", default.memory_mb)),
        cpu=float(table.get("cpu", default.cpu)),
        gpu=table.get("gpu", default.gpu),
        timeout_s=float(table.get("timeout_s", default.timeout_s)),
        tmp_mb=int(table.get("tmp_mb", default.tmp_mb)),
    )


def _scaling(table: Mapping[str, Any]) -> Scaling:
    default = Scaling()
    return Scaling(
        min=int(table.get("min", default.min)),
        max=int(table.get("max", default.max)),
        warm=int(table.get("warm", default.warm)),
        idle_s=float(table.get("idle_s", default.idle_s)),
        concurrency=int(table.get("concurrency", default.concurrency)),
        queue=int(table.get("queue", default.queue)),
    )


def _limits(table: Mapping[str, Any], timeout_s: float) -> Limits:
    default = Limits()
    return Limits(
        body_bytes=round(table["body_mb"] * MB) if "body_mb" in table else default.body_bytes,
        depth=int(table.get("depth", default.depth)),
        pixels=int(table.get("pixels", default.pixels)),
        setup_s=float(table.get("setup_s", default.setup_s)),
        timeout_s=timeout_s,
    )


def _triggers(tables: Mapping[str, Mapping[str, Any]]) -> tuple[Trigger, ...]:
    """Return the triggers in order of name, the endpoint first: every project has one."""
    triggers = [_trigger(name, table) for name, table in sorted(tables.items())]
    endpoints = [trigger for trigger in triggers if isinstance(trigger, HttpTrigger)]
    others = [trigger for trigger in triggers if not isinstance(trigger, HttpTrigger)]
    return (*(endpoints or [HttpTrigger()]), *others)


def _trigger(name: str, table: Mapping[str, Any]) -> Trigger:
    fields = {key: value for key, value in table.items() if key != "type"}
    match table.get("type", "http"):
        case "object-created":
            return ObjectCreated(name=name, **fields)
        case "queue":
            return QueueTrigger(name=name, **fields)
        case "schedule":
            return Schedule(name=name, **fields)
        case _:
            return HttpTrigger(name=name, **fields)
