from typing import Any

from tests.fakes.aws.permissions import ACCOUNT, BUCKET, REGION, allowed, bounding, here
from tests.fakes.aws.templates import granted

OWN = {"aws:ResourceAccount": ACCOUNT}


def test_the_boundary_holds_whatever_a_template_gives_to_a_role() -> None:
    grants = set()
    for action, resource, context in granted():
        grants.add(action)
        assert allowed([bounding()], action, resource, **OWN, **context), (action, resource)
    assert {
        "lambda:InvokeFunction",
        "sagemaker:InvokeEndpointAsync",
        "ecr:BatchGetImage",
        "sns:Publish",
        "cloudwatch:PutMetricData",
        "kms:Decrypt",
    } <= grants


def test_a_function_cannot_replace_the_code_of_another() -> None:
    assert allowed([bounding()], "s3:PutObject", "arn:aws:s3:::out/results/a.json", **OWN)
    assert not allowed([bounding()], "s3:PutObject", "arn:aws:s3:::out/results/a.json")
    code = f"arn:aws:s3:::{BUCKET}/preheat/embed/dev/a.zip"
    assert not allowed([bounding()], "s3:PutObject", code, **OWN)


def test_what_belongs_to_others_is_outside() -> None:
    def within(action: str, resource: str, **context: Any) -> bool:
        return allowed([bounding()], action, resource, **OWN, **context)

    assert within("events:InvokeApiDestination", here("events", "api-destination/preheat-ocr-dev/1"))
    assert not within("events:InvokeApiDestination", here("events", "api-destination/shop/1"))
    assert not within("sagemaker:InvokeEndpoint", here("sagemaker", "endpoint/fraud"))
    assert not within("sns:Publish", here("sns", "orders"))
    assert not within("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop")
    metrics = {"cloudwatch:namespace": "AWS/Billing"}
    assert not within("cloudwatch:PutMetricData", "*", **metrics)
    assert not within(
        "logs:PutLogEvents", here("logs", "log-group:/aws/sagemaker/Endpoints/fraud:log-stream:a")
    )
