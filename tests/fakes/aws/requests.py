"""What CloudFormation asks of SageMaker and of scaling in the name of whoever deploys a template.

The calls are those that the handlers of these types list (the schemas that cfn-lint carries); what each of
them is on, and what IAM knows of it, is in the Service Authorization Reference.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.aws.permissions import ACCOUNT, here

Request = tuple[str, str, dict[str, str]]
"""An action, on what, and what is known of the request."""

MODEL = here("sagemaker", "model/Model-1a2b3c4d5e6f")
CONFIG = here("sagemaker", "endpoint-config/EndpointConfig-1a2b3c4d5e6f")
"""As CloudFormation names them: github.com/aws/aws-cli/issues/4021."""

TARGET = here("application-autoscaling", "scalable-target/*")


def requests_of(template: Mapping[str, Any]) -> Iterator[Request]:
    """Yield the requests that make, read, update and remove those resources."""
    for each in template["Resources"].values():
        properties = each["Properties"]
        match each["Type"]:
            case "AWS::SageMaker::Model":
                yield from _tagged("Model", MODEL, properties)
                to_sagemaker = {"iam:PassedToService": "sagemaker.amazonaws.com"}
                yield "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/preheat-ocr-dev-Role-1A", to_sagemaker
            case "AWS::SageMaker::EndpointConfig":
                yield from _tagged("EndpointConfig", CONFIG, properties)
            case "AWS::SageMaker::Endpoint":
                yield from _endpoint(properties)
            case "AWS::ApplicationAutoScaling::ScalableTarget":
                yield from _target(properties)
            case "AWS::ApplicationAutoScaling::ScalingPolicy":
                for action in ("PutScalingPolicy", "DeleteScalingPolicy"):
                    yield f"application-autoscaling:{action}", TARGET, _namespace("sagemaker")


def _tagged(kind: str, arn: str, properties: Mapping[str, Any]) -> Iterator[Request]:
    tags = {each["Key"]: each["Value"] for each in properties["Tags"]}
    asked = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    known = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    yield f"sagemaker:Create{kind}", arn, asked
    yield "sagemaker:AddTags", arn, {**asked, "sagemaker:TaggingAction": f"Create{kind}"}
    yield f"sagemaker:Describe{kind}", arn, known
    yield "sagemaker:ListTags", arn, known
    yield "sagemaker:AddTags", arn, {**asked, **known}
    yield "sagemaker:DeleteTags", arn, known
    yield f"sagemaker:Delete{kind}", arn, known
    yield f"sagemaker:Describe{kind}", arn, {}  # to see that it is gone
    if kind == "EndpointConfig":
        yield "sagemaker:CreateEndpoint", arn, {**asked, **known}
        yield "sagemaker:UpdateEndpoint", arn, known


def _endpoint(properties: Mapping[str, Any]) -> Iterator[Request]:
    arn = here("sagemaker", f"endpoint/{properties['EndpointName']}")
    for action in ("CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint", "DeleteEndpoint"):
        yield f"sagemaker:{action}", arn, {}
    for action in ("AddTags", "DeleteTags", "ListTags"):
        yield f"sagemaker:{action}", arn, {}


def _target(properties: Mapping[str, Any]) -> Iterator[Request]:
    known = _namespace(properties["ServiceNamespace"])
    for action in ("RegisterScalableTarget", "PutScheduledAction", "DeleteScheduledAction"):
        yield f"application-autoscaling:{action}", TARGET, known
    yield "application-autoscaling:DeregisterScalableTarget", TARGET, known
    for action in ("TagResource", "ListTagsForResource", "UntagResource"):
        yield f"application-autoscaling:{action}", TARGET, {}
    for action in ("DescribeScalableTargets", "DescribeScheduledActions"):
        yield f"application-autoscaling:{action}", "*", {}
    service = "sagemaker.application-autoscaling.amazonaws.com"
    role = f"aws-service-role/{service}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    linked = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    yield "iam:CreateServiceLinkedRole", linked, {"iam:AWSServiceName": service}


def _namespace(name: str) -> dict[str, str]:
    return {"application-autoscaling:service-namespace": name}
