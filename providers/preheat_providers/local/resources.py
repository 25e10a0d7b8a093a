"""What a project asks of this machine, as resources. Pure: in a project and its bundle, out frozen data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from preheat.bundle.model import Bundle
from preheat.plan.model import Resource
from preheat.project.model import HttpTrigger, Project
from preheat_providers.local.options import Options
from preheat_providers.local.supervisor.spec import trigger_document


def desired_resources(
    project: Project, bundle: Bundle, options: Options, *, secrets_mark: str | None = None
) -> tuple[Resource, ...]:
    """Return the function, its endpoint and its triggers; values of variables appear as a hash only.

    `secrets_mark` stands for the values of the secrets, so that a rotated one is a change.
    """
    function: dict[str, Any] = {
        "digest": bundle.digest,
        "handler": project.handler,
        "resources": asdict(project.resources),
        "scaling": asdict(project.scaling),
        "limits": asdict(project.limits),
        "env": sorted(project.env),
        "env_hash": _hash(project.env),
        "secrets": dict(project.secrets),
        "secrets_mark": secrets_mark,
        "zygote": options.zygote,
        "zygote_idle_s": options.zygote_idle_s,
        "keep_alive": options.keep_alive,
        "schedule": [asdict(each) for each in options.schedule],
    }
    endpoint = {
        "auth": project.http.auth,
        "tls": options.tls,
        "port": options.port,
        "grpc_port": options.grpc_port,
        "private_webhooks": options.private_webhooks,
        "access_log": options.access_log,
    }
    triggers = [
        Resource(kind="Trigger", name=trigger.name, properties=trigger_document(trigger) | _place(options))
        for trigger in project.triggers
        if not isinstance(trigger, HttpTrigger)
    ]
    return (
        Resource(kind="Function", name=project.name, properties=_json(function)),
        Resource(kind="Endpoint", name=project.name, properties=endpoint),
        *(Resource(kind="Trigger", name=each.name, properties=_json(each.properties)) for each in triggers),
    )


def resource_document(resource: Resource) -> dict[str, Any]:
    """Return `resource` as JSON values."""
    return {"kind": resource.kind, "name": resource.name, "properties": dict(resource.properties)}


def read_resource(document: Mapping[str, Any]) -> Resource:
    """Return the resource that `resource_document` wrote."""
    return Resource(kind=document["kind"], name=document["name"], properties=document["properties"])


def _place(options: Options) -> dict[str, Any]:
    return {"buckets": dict(options.buckets), "s3_endpoint": options.s3_endpoint, "events": options.events}


def _hash(values: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(values.items())).encode()).hexdigest()[:16]


def _json(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return `properties` as they look after a trip through JSON, which what is observed has made."""
    document: dict[str, Any] = json.loads(json.dumps(properties))
    return document
