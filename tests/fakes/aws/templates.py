"""Every template that a deploy applies, and what they give to their roles."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from tests.fakes import lambda_templates, sagemaker_templates
from tests.fakes.aws.permissions import ACCOUNT, BOUNDARY, NAMES, REGION, here
from tests.fakes.aws.requests import Request

from preheat.project.model import ObjectCreated
from preheat_providers._aws.templates.reading import text_of
from preheat_providers.aws_lambda.options import Options as LambdaOptions
from preheat_providers.aws_lambda.template.images import images_template_of as function_images_of
from preheat_providers.modal.uploads.template import template_of as uploads_template_of
from preheat_providers.sagemaker.options import Options as SageMakerOptions
from preheat_providers.sagemaker.template.images import images_template_of

Template = Mapping[str, Any]
ELSEWHERE = ObjectCreated(name="uploads", bucket="in", output="out/results")


def templates() -> Iterator[Template]:
    """Templates that together have every resource and every permission."""
    yield lambda_templates.template(*lambda_templates.EVERY_TRIGGER, ELSEWHERE, options=_EVERYTHING)
    for variant in sagemaker_templates.variants():
        yield variant.template()
    yield images_template_of("ocr", "dev", SageMakerOptions())
    yield function_images_of("ocr", "dev")
    yield uploads_template_of("preheat-ocr-dev", (ELSEWHERE,), boundary=BOUNDARY)


_EVERYTHING = LambdaOptions(
    warm="provisioned", provisioned_max=3, endpoint="http-api", jobs=True, tracing=True, weights="s3"
)


def granted() -> Iterator[Request]:
    """Each request that the roles of the templates may make, with one value for what varies."""
    for template in templates():
        for each in template["Resources"].values():
            if each["Type"] == "AWS::IAM::Role":
                for policy in each["Properties"]["Policies"]:
                    for statement in policy["PolicyDocument"]["Statement"]:
                        yield from _requests(template, statement)


def _requests(template: Template, statement: Mapping[str, Any]) -> Iterator[Request]:
    resources = [_one(_arn(template, text_of(each))) for each in statement["Resource"]]
    yield from product(statement["Action"], resources, _contexts(statement))


def _contexts(statement: Mapping[str, Any]) -> list[dict[str, str]]:
    equal = statement.get("Condition", {}).get("StringEquals", {})
    named = [[(key, value) for value in values] for key, values in equal.items()]
    return [dict(each) for each in product(*named)]


def _arn(template: Template, text: str) -> str:
    """The ARN with what CloudFormation fills in, in the account of `permissions`."""
    for name, value in {**NAMES, "ArtifactBucket": "artifacts"}.items():
        text = text.replace("${" + name + "}", value)
    text = text.replace("eu-central-1:111122223333", f"{REGION}:{ACCOUNT}")
    return re.sub(r"\$\{(\w+)(\.Arn)?\}", lambda match: _made(template, match[1], bool(match[2])), text)


def _made(template: Template, name: str, arn: bool) -> str:
    """What a resource of the stack is known by."""
    resource = template["Resources"][name]
    physical = f"preheat-ocr-dev-{name}-1A2B"
    match resource["Type"]:
        case "AWS::Logs::LogGroup":
            return here("logs", f"log-group:{resource['Properties']['LogGroupName']}:*")
        case "AWS::SQS::Queue":
            return here("sqs", physical)
        case "AWS::SNS::Topic":
            return here("sns", physical)
        case "AWS::DynamoDB::Table":
            return here("dynamodb", f"table/{physical}")
        case "AWS::Events::ApiDestination":
            return here("events", f"api-destination/{physical}/1a2b")
        case "AWS::S3::Bucket":
            return f"arn:aws:s3:::{physical.lower()}" if arn else physical.lower()
    raise AssertionError(f"{name} is a {resource['Type']}")


def _one(pattern: str) -> str:
    """One thing that IAM takes for the pattern."""
    if pattern == "*":
        return pattern
    return re.sub(r"\$\{([*?$])\}", r"\1", re.sub(r"(?<!\{)[*?]", "x", pattern))
