"""The stack of an image repository: there before the first image, and for longer than any release. Pure."""

from preheat_providers._aws.templates.intrinsics import Json, att, ref, resource, sub


def images_template(name: str, stage: str, repository: str, **more: Json | None) -> Json:
    """Return the template of `repository`, whose images never change under their tag.

    `more` are other properties of it; what is None is left out.
    """
    properties = {
        "RepositoryName": repository,
        "ImageTagMutability": "IMMUTABLE",
        "EmptyOnDelete": True,
        **more,
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"preheat: images of {name} at {stage}",
        "Resources": {"Images": resource("AWS::ECR::Repository", properties)},
        "Outputs": {
            "Repository": {"Value": ref("Images")},
            "RepositoryUri": {"Value": att("Images", "RepositoryUri")},
        },
    }


def image_uri(image: str) -> Json:
    """Return where `image` (`REPOSITORY@DIGEST`) lies in the registry of the stack's account."""
    return sub(f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{image}")
