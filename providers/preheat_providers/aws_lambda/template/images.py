"""The stack of the image repository: Lambda may read it, and nothing in it expires."""

from preheat_providers._aws.templates.images import images_template
from preheat_providers._aws.templates.intrinsics import Json, local_arn, policy
from preheat_providers.aws_lambda.template.names import repository_name, stack_name


def images_template_of(name: str, stage: str) -> Json:
    """Return the template of the repository.

    No rule removes images by age or number: the stack keeps its own for as long as code alone changes,
    which may be the oldest. Deploys remove what no release has.
    """
    return images_template(
        name, stage, repository_name(name, stage), RepositoryPolicyText=policy(_reading(name, stage))
    )


def _reading(name: str, stage: str) -> Json:
    """Return what Lambda needs to fetch an image.

    https://repost.aws/knowledge-center/lambda-ecr-image, read on 2026-11-21, which has the condition for a
    function of another account.
    """
    return {
        "Sid": "LambdaReads",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {
            "StringLike": {"aws:SourceArn": local_arn("lambda", f"function:{stack_name(name, stage)}*")}
        },
    }
