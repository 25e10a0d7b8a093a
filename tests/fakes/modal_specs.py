"""Specs, projects and bundles of the provider for Modal."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

from preheat.bundle.model import Bundle, Layer
from preheat.project.model import Project
from preheat_providers.modal.app.spec import AppSpec
from preheat_providers.modal.target import target_of


def spec_of(**changes: Any) -> AppSpec:
    """Return a small app."""
    small: dict[str, Any] = {
        "app": "preheat-demo-dev",
        "label": "demo-dev",
        "stage": "dev",
        "release": "7",
        "python": "3.13",
        "uv_version": "0.13.8",
        "cpu": 1.0,
        "memory_mb": 1024,
        "timeout_s": 240,
        "startup_timeout_s": 120,
        "max_inputs": 2,
        "target_inputs": 1,
        "jobs": "preheat-demo-dev-jobs",
    }
    return AppSpec(**{**small, **changes})


def project_of(root: Path = Path("/projects/demo"), **changes: Any) -> Project:
    """Return a project called `demo`."""
    return Project(**{"root": root, "stage": "dev", "name": "demo", "handler": "handler:Model", **changes})


def bundle_of(project: Project, *, root: Path = Path("/cache"), weights: int = 0, **contract: Any) -> Bundle:
    """Return a bundle whose layers are folders of `root`; `weights` is how many bytes that layer has, and
    `contract` what the handler's says beyond one request at a time.
    """
    sizes = {"dependencies": 10, "weights": weights, "code": 10}
    layers = tuple(
        Layer(name=name, digest=f"sha256:{name[0] * 64}", bytes=size, path=root / name)  # type: ignore[arg-type]
        for name, size in sizes.items()
    )
    return Bundle(
        digest="sha256:" + "b" * 64,
        target=target_of(project),
        layers=layers,
        sizes=(),
        path=root,
        cached=False,
        contract=MappingProxyType(contract),
    )
