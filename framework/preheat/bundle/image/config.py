"""The configuration of an image: what the base says, and ours over it. Pure.

Fields: https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md (read 2026-11-21).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from preheat.bundle.image.container import Container

EPOCH = "1970-01-01T00:00:00Z"
_KEPT = ("architecture", "os", "os.version", "os.features", "variant")
_KEPT_OF_PROCESS = ("Env", "Labels", "ExposedPorts", "Volumes")
"""What else a base says is of its own process: its command, its health check, its shell."""


def merge_config(
    base: Mapping[str, Any],
    container: Container,
    *,
    interpreter: str,
    layers: Sequence[tuple[str, str]],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Return the configuration of `base` with `layers` (name, diff_id) on top, started as `container` says.

    The time is the base's: it changes when the base does, and not with the day of the build.
    """
    process = base.get("config") or {}
    created = base.get("created") or EPOCH
    kept = {key: process[key] for key in _KEPT_OF_PROCESS if process.get(key)}
    ports: dict[str, Any] = {f"{port}/tcp": {} for port in container.ports}
    config = {
        **kept,
        "Env": _environment(kept.get("Env", ()), container.env),
        "Labels": {**kept.get("Labels", {}), **labels, **container.labels},
        "ExposedPorts": {**kept.get("ExposedPorts", {}), **ports},
        "Entrypoint": [interpreter, *container.command],
        "WorkingDir": container.folder,
        "StopSignal": container.stop_signal,
        **({"User": container.user} if container.user else {}),
    }
    ours = [{"created": created, "created_by": f"preheat: {name}"} for name, _ in layers]
    return {
        **{key: base[key] for key in _KEPT if key in base},
        "created": created,
        "config": config,
        "rootfs": {
            "type": "layers",
            "diff_ids": [*base["rootfs"]["diff_ids"], *(diff_id for _, diff_id in layers)],
        },
        "history": [*_history(base, created), *ours],
    }


def _history(base: Mapping[str, Any], created: str) -> list[Mapping[str, Any]]:
    """Return the base's history, or one line for each layer where it does not fit them."""
    found = base.get("history") or []
    layers = base["rootfs"]["diff_ids"]
    if sum(not each.get("empty_layer") for each in found) == len(layers):
        return list(found)
    return [{"created": created, "created_by": "base"} for _ in layers]


def _environment(base: Sequence[str], ours: Mapping[str, str]) -> list[str]:
    """Return NAME=VALUE lines: the base's in their order, ours instead of theirs or after them."""
    lines = {name: value for name, _, value in (line.partition("=") for line in base)}
    return [f"{name}={value}" for name, value in {**lines, **dict(sorted(ours.items()))}.items()]
