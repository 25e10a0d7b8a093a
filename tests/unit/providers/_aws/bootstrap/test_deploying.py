import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from tests.fakes.aws.permissions import (
    ACCOUNT,
    BOUNDARY,
    BUCKET,
    REGION,
    RESOURCES,
    allowed,
    attached,
    deploying,
    filled,
    here,
    own,
    statements,
)
from tests.fakes.aws.templates import templates

ROLE = f"arn:aws:iam::{ACCOUNT}:role/preheat-embed-dev-Role-1A2B"
BOUNDED = {"iam:PermissionsBoundary": BOUNDARY}

SERVICES = {
    "ApiGatewayV2": "apigateway",
    "ApplicationAutoScaling": "application-autoscaling",
    "CloudWatch": "cloudwatch",
    "DynamoDB": "dynamodb",
    "ECR": "ecr",
    "Events": "events",
    "IAM": "iam",
    "Lambda": "lambda",
    "Logs": "logs",
    "S3": "s3",
    "SNS": "sns",
    "SQS": "sqs",
    "SageMaker": "sagemaker",
    "Scheduler": "scheduler",
}

NARROW = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::ECR::Repository",
    "AWS::Events::ApiDestination",
    "AWS::Events::Connection",
    "AWS::Events::Rule",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::Model",
)
"""Types whose handlers say what they call. Those of buckets, tables, functions, roles and log groups list
what any property of any of them could need, which is beyond what templates here have."""

NOT_CALLED = frozenset(
    {
        "sns:PutDataProtectionPolicy",
        "sns:Subscribe",
        "sns:Unsubscribe",
    }
)
"""For properties that no template here has."""


def test_the_deploy_role_knows_the_service_of_every_resource() -> None:
    kinds = {each["Type"] for template in templates() for each in template["Resources"].values()}
    services = {SERVICES[kind.split("::")[1]] for kind in kinds}
    known = {action.split(":")[0] for each in statements("Allow", *deploying()) for action in each["Action"]}
    assert services - known == set()


@pytest.mark.parametrize("kind", NARROW)
def test_the_deploy_role_has_what_cloudformation_calls_for_a_resource(kind: str) -> None:
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
    called = {action for name, each in handlers.items() if name != "list" for action in each["permissions"]}
    assert called
    # A key is the user's, whose own policy lets the role use it.
    ours = {action for action in called if not action.startswith("kms:")}
    given = {action for each in statements("Allow", *deploying()) for action in each["Action"]}
    assert ours - given - NOT_CALLED == set()


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:PutRolePolicy"])
def test_roles_are_made_within_the_boundary_only(action: str) -> None:
    assert allowed(deploying(), action, ROLE, **BOUNDED)
    assert not allowed(deploying(), action, ROLE)
    others = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess"}
    assert not allowed(deploying(), action, ROLE, **others)


def test_the_deploy_role_changes_nothing_that_bounds_it() -> None:
    properties = filled(RESOURCES["DeployRole"]["Properties"])
    itself = f"arn:aws:iam::{ACCOUNT}:role{properties['Path']}{properties['RoleName']}"
    beside = [f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in attached()]
    context = {
        **BOUNDED,
        "iam:PassedToService": "lambda.amazonaws.com",
        "iam:AWSServiceName": "lambda.application-autoscaling.amazonaws.com",
    }
    actions = {action for each in statements("Allow", *deploying()) for action in each["Action"]}
    iam = {action for action in actions if action.startswith("iam:")}
    assert {"iam:PutRolePolicy", "iam:PassRole"} <= iam
    for resource in (itself, BOUNDARY, *beside):
        assert [action for action in iam if allowed(deploying(), action, resource, **context)] == []
    stack = here("cloudformation", "stack/preheat-bootstrap/1-2-3")
    for action in ("cloudformation:ExecuteChangeSet", "cloudformation:DeleteStack"):
        assert not allowed(deploying(), action, stack)
        assert allowed(deploying(), action, stack.replace("bootstrap", "embed-dev"))


@pytest.mark.parametrize(
    "service",
    ["lambda.amazonaws.com", "scheduler.amazonaws.com", "sagemaker.amazonaws.com", "events.amazonaws.com"],
)
def test_roles_are_handed_to_the_services_that_take_them(service: str) -> None:
    assert allowed(deploying(), "iam:PassRole", ROLE, **{"iam:PassedToService": service})
    others = f"arn:aws:iam::{ACCOUNT}:role/admin"
    assert not allowed(deploying(), "iam:PassRole", others, **{"iam:PassedToService": service})


def test_roles_are_handed_to_nobody_else() -> None:
    assert not allowed(deploying(), "iam:PassRole", ROLE, **{"iam:PassedToService": "ec2.amazonaws.com"})
    assert not allowed(deploying(), "iam:PassRole", ROLE)


@pytest.mark.parametrize(
    "service",
    [
        "lambda.application-autoscaling.amazonaws.com",
        "sagemaker.application-autoscaling.amazonaws.com",
        "apidestinations.events.amazonaws.com",
    ],
)
def test_aws_makes_its_own_roles_for_what_templates_have(service: str) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/AWSServiceRoleForIt"
    action = "iam:CreateServiceLinkedRole"
    assert allowed(deploying(), action, role, **{"iam:AWSServiceName": service})
    assert not allowed(deploying(), action, role, **{"iam:AWSServiceName": "ecs.amazonaws.com"})
    others = role.replace(service, "ecs.amazonaws.com")
    assert not allowed(deploying(), action, others, **{"iam:AWSServiceName": service})


@pytest.mark.parametrize(
    "action",
    ["s3:DeleteBucket", "s3:PutBucketNotification", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration"],
)
def test_the_artifact_bucket_stays_as_it_is(action: str) -> None:
    assert allowed(deploying(), action, "arn:aws:s3:::preheat-embed-dev-jobsbucket-1a2b")
    assert not allowed(deploying(), action, f"arn:aws:s3:::{BUCKET}")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:UpdateFunctionCode", here("lambda", "function:billing")),
        ("s3:GetObject", "arn:aws:s3:::payroll/2026.csv"),
        ("sqs:DeleteQueue", here("sqs", "orders")),
        ("iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/admin"),
        ("logs:DeleteLogGroup", here("logs", "log-group:/aws/lambda/x")),
        ("cloudwatch:DeleteAlarms", here("cloudwatch", "alarm:TargetTracking-service/shop-AlarmHigh-1")),
    ],
)
def test_what_belongs_to_others_is_out_of_reach(action: str, resource: str) -> None:
    assert not allowed(deploying(), action, resource)
    service = action.split(":")[0]
    assert any(action in each["Action"] for each in statements("Allow", *deploying())), service


def test_scaling_is_that_of_functions_and_endpoints() -> None:
    target = f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/1"
    action, key = (
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:service-namespace",
    )
    assert allowed([own()], action, target, **{key: "lambda"})
    assert not allowed([own()], action, target, **{key: "sagemaker"})
    assert allowed(deploying(), action, target, **{key: "sagemaker"})
    assert not allowed(deploying(), action, target, **{key: "ecs"})
    # The stack's own tags go to the target, and a request to tag has no namespace.
    assert allowed([own()], "application-autoscaling:TagResource", target)
