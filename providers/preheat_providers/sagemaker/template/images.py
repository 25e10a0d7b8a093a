"""The stack of the image repository, which is there before the first image and outlives every release."""

import json

from preheat_providers._aws.templates.intrinsics import Json, att, ref, resource
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.names import repository_name

SPARE_IMAGES = 50
"""How many images stay beside those of the kept releases: of deploys that failed, after whatever number of
which the image that serves must still be there. They share what did not change, so that each is small."""


def images_template_of(name: str, stage: str, options: Options) -> Json:
    """Return the template of the repository, whose images never change under their tag."""
    encryption = {"EncryptionType": "KMS", "KmsKey": options.kms_key} if options.kms_key else None
    repository = resource(
        "AWS::ECR::Repository",
        {
            "RepositoryName": repository_name(name, stage),
            "ImageTagMutability": "IMMUTABLE",
            "EncryptionConfiguration": encryption,
            "LifecyclePolicy": {"LifecyclePolicyText": _lifecycle(options.keep_releases + SPARE_IMAGES)},
            "EmptyOnDelete": True,
        },
    )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"preheat: images of {name} at {stage}",
        "Resources": {"Images": repository},
        "Outputs": {
            "Repository": {"Value": ref("Images")},
            "RepositoryUri": {"Value": att("Images", "RepositoryUri")},
        },
    }


def _lifecycle(kept: int) -> str:
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": kept}
    rule = {
        "rulePriority": 1,
        "description": f"keep the newest {kept}",
        "selection": selection,
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})
