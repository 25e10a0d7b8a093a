"""What is deployed, as resources to compare with what is wanted.

The stack's template says most of it. It does not say what was changed beside the stack: the code that a
direct deploy has published, where the traffic goes, and whether somebody else has switched a bucket off.
"""

from collections.abc import Mapping
from typing import Any

from preheat.plan.model import Change, Plan, Resource
from preheat_providers._aws.buckets import tells_events
from preheat_providers._aws.templates.anatomy import RULE, rule_buckets
from preheat_providers.aws_lambda.operating.alias import Alias
from preheat_providers.aws_lambda.operating.anatomy import is_image
from preheat_providers.aws_lambda.operating.releases import Version
from preheat_providers.aws_lambda.place import Live, Place
from preheat_providers.aws_lambda.template.names import describe
from preheat_providers.aws_lambda.template.reading import FUNCTION, VERSION, resources_of

ALIAS_KIND = "AWS::Lambda::Alias"
TRAFFIC, TELLS = "Traffic", "BucketTellsEventBridge"
"""Properties that stand for what no template holds."""
NEWEST = "all to the newest release"

CODE_CHANGES = frozenset(
    {
        (FUNCTION, "Code.S3Key"),
        (FUNCTION, "Code.ImageUri"),
        (VERSION, "Description"),
        (ALIAS_KIND, TRAFFIC),
    }
)
"""Kinds and fields whose changes need no stack."""


def desired_resources(
    template: Mapping[str, Any], images: Mapping[str, Any] | None = None
) -> tuple[Resource, ...]:
    """Return the resources of a template that is wanted, and those of the stack of its `images`."""
    return (
        *(resources_of(images) if images is not None else ()),
        *(_with(resource, _wanted(resource)) for resource in resources_of(template)),
    )


def observed_resources(place: Place, live: Live) -> tuple[Resource, ...]:
    """Return the resources that exist. Asks S3 for the buckets of triggers. Raises ProviderError."""
    active, traffic = live.active, traffic_of(live.alias, live.versions)
    client = place.session.client("s3")
    images = place.image_stack() if is_image(live.stack.template) else None
    found = list(resources_of(images.template)) if images is not None and images.template else []
    for resource in resources_of(live.stack.template):
        properties = _running(resource, active, traffic)
        if resource.kind == RULE:
            tells = all(tells_events(client, bucket) for bucket in rule_buckets(resource.properties))
            properties = {TELLS: tells}
        found.append(_with(resource, properties))
    return tuple(found)


def traffic_of(alias: Alias, versions: tuple[Version, ...]) -> str:
    """Return where the traffic goes, for a reader."""
    if alias.canary is not None:
        return f"{alias.share:.0%} to release {alias.canary}, the rest to release {alias.version}"
    return NEWEST if alias.version == versions[0].number else f"all to release {alias.version}"


def changes_code_alone(plan: Plan) -> bool:
    """Say whether a deploy can do without the stack."""
    return all(_direct(change) for change in plan.changes)


def _direct(change: Change) -> bool:
    fields = {(change.kind, field.path) for field in change.fields}
    return change.action == "update" and fields <= CODE_CHANGES


def _wanted(resource: Resource) -> Mapping[str, Any]:
    match resource.kind:
        case kind if kind == ALIAS_KIND:
            return {TRAFFIC: NEWEST}
        case kind if kind == RULE:
            return {TELLS: True}
        case _:
            return {}


def _running(resource: Resource, active: Version, traffic: str) -> Mapping[str, Any]:
    """Return what direct deploys have changed of `resource`."""
    digest, key = active.described
    match resource.kind:
        case kind if kind == FUNCTION:
            return {"Code": _code_at(resource.properties["Code"], key)}
        case kind if kind == VERSION:
            return {"Description": describe(digest, key)}
        case kind if kind == ALIAS_KIND:
            return {TRAFFIC: traffic}
        case _:
            return {}


def _code_at(code: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    if "ImageUri" not in code:
        return {**code, "S3Key": key}
    registry, _, _ = code["ImageUri"].partition("/")
    return {"ImageUri": f"{registry}/{key}"}


def _with(resource: Resource, properties: Mapping[str, Any]) -> Resource:
    return Resource(kind=resource.kind, name=resource.name, properties={**resource.properties, **properties})
