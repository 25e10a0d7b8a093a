"""A whole CloudFormation document."""

from preheat.project.model import Project
from preheat_providers._aws.templates.intrinsics import Json, Resources


def document_of(project: Project, *, parameters: Json, resources: Resources, outputs: Json) -> Json:
    """Return the template of `project`; `outputs` has the value of each."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"preheat: {project.name} at {project.stage}",
        "Parameters": parameters,
        "Resources": resources,
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
