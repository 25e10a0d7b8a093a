"""What is deployed, as resources to compare with what is wanted.

The templates of the two stacks say most of it. They do not say what was changed beside them: which release
the endpoint runs, and whether somebody else has switched a bucket off.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from preheat.plan.model import Resource
from preheat_providers._aws.buckets import tells_events
from preheat_providers._aws.templates.anatomy import RULE, rule_buckets
from preheat_providers.sagemaker.operating.traffic import NEWEST, traffic_of
from preheat_providers.sagemaker.place import Live, Place
from preheat_providers.sagemaker.template.reading import resources_of

ENDPOINT = "AWS::SageMaker::Endpoint"
TRAFFIC, TELLS = "Traffic", "BucketTellsEventBridge"
"""Properties that stand for what no template holds."""


def desired_resources(template: Mapping[str, Any], images: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Return the resources of the two templates that are wanted."""
    beside = {ENDPOINT: {TRAFFIC: NEWEST}}
    return (
        *resources_of(images),
        *(
            _with(each, {TELLS: True} if theirs_in(each) else beside.get(each.kind, {}))
            for each in resources_of(template)
        ),
    )


def observed_resources(place: Place, live: Live) -> tuple[Resource, ...]:
    """Return the resources that exist. Asks S3 for the buckets of triggers. Raises ProviderError."""
    images = place.image_stack()
    return (
        *(resources_of(images.template) if images is not None and images.template else ()),
        *_observed(place, live),
    )


def theirs_in(resource: Resource) -> list[str]:
    """Return the buckets of somebody else that a rule listens to."""
    if resource.kind != RULE:
        return []
    return [bucket for bucket in rule_buckets(resource.properties) if not bucket.startswith("${")]


def _observed(place: Place, live: Live) -> Iterator[Resource]:
    client = place.session.client("s3")
    for resource in resources_of(live.stack.template):
        if buckets := theirs_in(resource):
            yield _with(resource, {TELLS: all(tells_events(client, bucket) for bucket in buckets)})
        elif resource.kind == ENDPOINT:
            yield _with(resource, {TRAFFIC: traffic_of(live)})
        else:
            yield resource


def _with(resource: Resource, properties: Mapping[str, Any]) -> Resource:
    return Resource(kind=resource.kind, name=resource.name, properties={**resource.properties, **properties})
