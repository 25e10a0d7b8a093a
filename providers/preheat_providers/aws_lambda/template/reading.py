"""A template as resources for the plan: what a deploy wants, and what the stack has."""

from collections.abc import Mapping
from typing import Any

from preheat.plan.model import Resource
from preheat_providers._aws.templates.reading import permission_resources, text_of

FUNCTION, VERSION = "AWS::Lambda::Function", "AWS::Lambda::Version"
DERIVED = {"AWS::IAM::Role": "Policies", FUNCTION: "Description", "AWS::Lambda::Alias": "FunctionVersion"}
"""Properties that say what other resources say already."""


def resources_of(template: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Return the resources of `template`, references written as `${NAME}`, and each permission by itself.

    The version is called `Version`, whatever its logical id, and the function lacks its description,
    so that a change of code is one of `Code` and of the version alone.
    """
    resources = [_resource(name, document) for name, document in template["Resources"].items()]
    return (*resources, *permission_resources(template))


def _resource(name: str, document: Mapping[str, Any]) -> Resource:
    kind = document["Type"]
    derived = DERIVED.get(kind)
    properties = {key: value for key, value in document["Properties"].items() if key != derived}
    if kind == FUNCTION:
        properties |= document.get("Metadata", {})
    return Resource(kind=kind, name="Version" if kind == VERSION else name, properties=text_of(properties))
