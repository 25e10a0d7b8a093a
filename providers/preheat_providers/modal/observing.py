"""What an app is made of, as resources: what a project asks for, and what its release wrote down. Pure.

A running app does not say what it was made of, but for the names of its functions. So each deploy writes
its resources into the app's Volume before it publishes, and the deployment's tag says which record is its.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from preheat.bundle.model import Bundle
from preheat.plan.model import Resource
from preheat_providers.modal.app.functions import POLLER, RECEIVER
from preheat_providers.modal.app.spec import AppSpec, Volume
from preheat_providers.modal.limits import BUILDER
from preheat_providers.modal.names import own_secret, own_volume

IMAGE, VOLUME, SECRET, CLASS, ENDPOINT, SCHEDULE, UPLOADS = (
    f"modal.{kind}" for kind in ("Image", "Volume", "Secret", "Cls", "Endpoint", "Cron", "Function")
)

SETTINGS = (
    "cpu",
    "memory_mb",
    "gpu",
    "regions",
    "nonpreemptible",
    "timeout_s",
    "startup_timeout_s",
    "retries",
    "max_inputs",
    "target_inputs",
    "snapshot",
    "env",
)
"""Fields of the spec that are the class's own; lists of nothing are left out."""


def desired_resources(spec: AppSpec, bundle: Bundle, environment: str) -> tuple[Resource, ...]:
    """Return the resources of `spec`, which deploys `bundle`; its release and its token are none."""
    return tuple(_resources(spec, bundle, environment))


def secrets_mark_of(resources: Iterable[Resource]) -> str | None:
    """Return the mark of the values of `resources`, by which their Secret is named; None without one."""
    marks = (each.properties["mark"] for each in resources if each.kind == SECRET)
    return next((mark for mark in marks if mark is not None), None)


def _resources(spec: AppSpec, bundle: Bundle, environment: str) -> Iterator[Resource]:
    yield Resource(kind=IMAGE, name=spec.app, properties=_image(spec, bundle))
    # Without weights, too: it keeps the records of the releases.
    weights = bundle.layer("weights").digest if isinstance(spec.weights, Volume) else None
    yield Resource(kind=VOLUME, name=own_volume(spec.app), properties={"weights": weights})
    for name, variables in sorted(spec.secrets.items()):
        own = name == own_secret(spec.app, spec.secrets_mark)
        properties = {"variables": sorted(variables), "mark": spec.secrets_mark if own else None}
        yield Resource(kind=SECRET, name=own_secret(spec.app) if own else name, properties=properties)
    yield Resource(kind=CLASS, name=spec.app, properties=_class(spec, environment))
    yield Resource(kind=ENDPOINT, name=spec.label, properties={"callers": spec.door})
    for tick in spec.ticks:
        properties = {"cron": tick.cron, "timezone": tick.timezone, "input": tick.input}
        yield Resource(kind=SCHEDULE, name=tick.name, properties=properties)
    if spec.uploads:
        yield _uploads(spec)


def _image(spec: AppSpec, bundle: Bundle) -> Mapping[str, Any]:
    return {
        "builder": BUILDER,
        "python": spec.python,
        "uv": spec.uv_version if spec.packages == "image" else None,
        "packages": {"from": spec.packages, "digest": bundle.layer("dependencies").digest},
        "code": bundle.layer("code").digest,
        "weights": bundle.layer("weights").digest if spec.weights == "image" else None,
    }


def _uploads(spec: AppSpec) -> Resource:
    triggers = {each.name: each.document() for each in spec.uploads}
    asks = {"role": spec.upload_role, "region": spec.upload_region, "queue": spec.upload_queue}
    name = RECEIVER if spec.upload_queue is None else POLLER
    return Resource(kind=UPLOADS, name=name, properties={"triggers": triggers, **asks})


def _class(spec: AppSpec, environment: str) -> Mapping[str, Any]:
    values = {name: getattr(spec, name) for name in SETTINGS}
    plain = {
        name: list(value) or None if isinstance(value, tuple) else value for name, value in values.items()
    }
    plain["env"] = dict(spec.env)
    return {**plain, "scale": asdict(spec.scale), "environment": environment or None}
