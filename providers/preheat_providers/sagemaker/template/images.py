"""The stack of the image repository, whose newest images stay."""

import json

from preheat_providers._aws.templates.images import images_template
from preheat_providers._aws.templates.intrinsics import Json
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.names import repository_name

SPARE_IMAGES = 50
"""How many images stay beside those of the kept releases: of deploys that failed, after whatever number of
which the image that serves must still be there. They share what did not change, so that each is small."""


def images_template_of(name: str, stage: str, options: Options) -> Json:
    """Return the template of the repository."""
    encryption = {"EncryptionType": "KMS", "KmsKey": options.kms_key} if options.kms_key else None
    return images_template(
        name,
        stage,
        repository_name(name, stage),
        EncryptionConfiguration=encryption,
        LifecyclePolicy={"LifecyclePolicyText": _lifecycle(options.keep_releases + SPARE_IMAGES)},
    )


def _lifecycle(kept: int) -> str:
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": kept}
    rule = {
        "rulePriority": 1,
        "description": f"keep the newest {kept}",
        "selection": selection,
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})
