import json
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from preheat.project.model import HttpTrigger, ObjectCreated, Project, QueueTrigger, Schedule
from preheat_providers._aws.bootstrap.document import document, rendered
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.template.document import template_of
from preheat_providers.aws_lambda.template.names import default_bucket
from preheat_providers.aws_lambda.template.wanted import Wanted

FILE = Path(__file__).parents[5] / "infra" / "aws" / "bootstrap.json"
ACCOUNT, REGION = "123456789012", "ap-southeast-1"
BUCKET = f"preheat-{ACCOUNT}-{REGION}"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/preheat-boundary-{REGION}"
KNOWN = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "Bucket": BUCKET}
RESOURCES = document()["Resources"]

WITHOUT_RESOURCES = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStacks",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "lambda:GetEventSourceMapping",
    "lambda:ListEventSourceMappings",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions that IAM cannot narrow to a resource, all of which read lists or write traces."""

SERVICES = {
    "ApiGatewayV2": "apigateway",
    "ApplicationAutoScaling": "application-autoscaling",
    "CloudWatch": "cloudwatch",
    "DynamoDB": "dynamodb",
    "Events": "events",
    "IAM": "iam",
    "Lambda": "lambda",
    "Logs": "logs",
    "S3": "s3",
    "SQS": "sqs",
    "Scheduler": "scheduler",
}


def filled(value: Any) -> Any:
    """Return `value` as CloudFormation would fill it in."""
    match value:
        case {"Fn::Sub": [text, dict()]} | {"Fn::Sub": text}:
            known = {
                "AWS::Partition": "aws",
                "AWS::Region": REGION,
                "AWS::AccountId": ACCOUNT,
                "Bucket": BUCKET,
            }
            for name, replacement in known.items():
                text = text.replace("${" + name + "}", replacement)
            return text
        case {"Ref": "Boundary"}:
            return BOUNDARY
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case dict():
            return {key: filled(each) for key, each in value.items()}
        case list():
            return [filled(each) for each in value]
    return value


def deploying() -> dict[str, Any]:
    policy: dict[str, Any] = filled(RESOURCES["DeployRole"]["Properties"]["Policies"][0]["PolicyDocument"])
    return policy


def bounding() -> dict[str, Any]:
    policy: dict[str, Any] = filled(RESOURCES["Boundary"]["Properties"]["PolicyDocument"])
    return policy


def statements(effect: str) -> Iterator[dict[str, Any]]:
    for policy in (deploying(), bounding()):
        yield from (each for each in policy["Statement"] if each["Effect"] == effect)


def allowed(policy: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    """Say what IAM would, for conditions that compare with one value."""

    def applies(statement: dict[str, Any]) -> bool:
        conditions = statement.get("Condition", {}).items()
        return (
            action in statement["Action"]
            and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
            and all(
                fnmatchcase(context.get(key, ""), pattern)
                for _, tests in conditions
                for key, pattern in tests.items()
                if isinstance(pattern, str)
            )
        )

    effects = {statement["Effect"] for statement in policy["Statement"] if applies(statement)}
    return effects == {"Allow"}


def everything() -> dict[str, Any]:
    """Return the template of a project with every trigger."""
    project = Project(
        root=Path(),
        stage="dev",
        name="embed",
        handler="handler:Embedder",
        triggers=(
            HttpTrigger(),
            ObjectCreated(name="uploads", bucket="in", output="out/results"),
            QueueTrigger(name="messages", queue="work"),
            Schedule(name="nightly", cron="0 3 * * *"),
        ),
    )
    options = Options(
        warm="provisioned", provisioned_max=3, endpoint="http-api", jobs=True, tracing=True, weights="s3"
    )
    wanted = Wanted(
        project=project,
        options=options,
        keys={"function": "preheat/a.zip", "libraries": "preheat/b.zip"},
        digest="sha256:ab",
        environment={},
    )
    return template_of(wanted)


def test_the_file_in_the_repository_is_what_the_code_writes() -> None:
    assert FILE.read_text() == rendered(), (
        "run: python -m preheat_providers._aws.bootstrap.document > infra/aws/bootstrap.json"
    )


def test_cfn_lint_has_nothing_to_say() -> None:
    program = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([program, FILE], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_no_statement_allows_actions_by_wildcard() -> None:
    actions = [action for each in statements("Allow") for action in each["Action"]]
    assert actions
    assert [action for action in actions if "*" in action or "?" in action] == []


def test_only_what_iam_cannot_narrow_is_allowed_on_everything() -> None:
    unnarrowed = {
        action
        for each in statements("Allow")
        if "*" in each["Resource"] and "Condition" not in each
        for action in each["Action"]
    }
    assert unnarrowed == WITHOUT_RESOURCES


def test_the_policies_fit_their_quotas() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, read on 2026-11-21
    assert len(json.dumps(deploying(), separators=(",", ":"))) < 10_240
    assert len(json.dumps(bounding(), separators=(",", ":"))) < 6_144


def test_every_statement_has_a_name_of_its_own() -> None:
    for policy in (deploying(), bounding()):
        names = [each["Sid"] for each in policy["Statement"]]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:PutRolePolicy"])
def test_roles_are_made_within_the_boundary_only(action: str) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/preheat-embed-dev-Role-1A2B"
    bounded = {"iam:PermissionsBoundary": BOUNDARY}
    assert allowed(deploying(), action, role, **bounded)
    assert not allowed(deploying(), action, role)
    others = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess"}
    assert not allowed(deploying(), action, role, **others)


def test_the_deploy_role_changes_neither_itself_nor_its_boundary_nor_its_stack() -> None:
    policy = deploying()
    properties = filled(RESOURCES["DeployRole"]["Properties"])
    itself = f"arn:aws:iam::{ACCOUNT}:role{properties['Path']}{properties['RoleName']}"
    bounded = {"iam:PermissionsBoundary": BOUNDARY}
    actions = {action for each in statements("Allow") for action in each["Action"]}
    iam = [action for action in actions if action.startswith("iam:")]
    assert "iam:PutRolePolicy" in iam
    assert [action for action in iam if allowed(policy, action, itself, **bounded)] == []
    assert [action for action in iam if allowed(policy, action, BOUNDARY, **bounded)] == []
    stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/preheat-bootstrap/1-2-3"
    for action in ("ExecuteChangeSet", "DeleteStack"):
        assert not allowed(policy, f"cloudformation:{action}", stack)
        assert allowed(policy, f"cloudformation:{action}", stack.replace("bootstrap", "embed-dev"))


@pytest.mark.parametrize("action", ["s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration"])
def test_the_artifact_bucket_stays_as_it_is(action: str) -> None:
    assert allowed(deploying(), action, "arn:aws:s3:::preheat-embed-dev-jobsbucket-1a2b")
    assert not allowed(deploying(), action, f"arn:aws:s3:::{BUCKET}")


def test_what_belongs_to_others_is_out_of_reach() -> None:
    policy = deploying()
    assert not allowed(
        policy, "lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:billing"
    )
    assert not allowed(policy, "s3:GetObject", "arn:aws:s3:::payroll/2026.csv")
    assert not allowed(policy, "sqs:DeleteQueue", f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders")
    assert not allowed(policy, "iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/admin")
    assert not allowed(
        policy, "logs:DeleteLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/x"
    )


def test_a_function_cannot_replace_the_code_of_another() -> None:
    own = {"aws:ResourceAccount": ACCOUNT}
    assert allowed(bounding(), "s3:PutObject", "arn:aws:s3:::out/results/a.json", **own)
    assert not allowed(bounding(), "s3:PutObject", "arn:aws:s3:::out/results/a.json")
    assert not allowed(bounding(), "s3:PutObject", f"arn:aws:s3:::{BUCKET}/preheat/embed/dev/a.zip", **own)


def test_the_boundary_holds_every_action_that_a_function_is_given() -> None:
    given = {
        action
        for each in everything()["Resources"].values()
        if each["Type"] == "AWS::IAM::Role"
        for policy in each["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }
    within = {
        action for each in bounding()["Statement"] if each["Effect"] == "Allow" for action in each["Action"]
    }
    assert given
    assert given - within == set()


def test_the_deploy_role_knows_the_service_of_every_resource_of_a_function() -> None:
    services = {SERVICES[each["Type"].split("::")[1]] for each in everything()["Resources"].values()}
    allowed_services = {action.split(":")[0] for each in statements("Allow") for action in each["Action"]}
    assert services - allowed_services == set()


def test_the_bucket_is_private_encrypted_and_kept() -> None:
    bucket = RESOURCES["ArtifactBucket"]
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "VersioningConfiguration" not in properties
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert {key for key in rule if "Expir" in key or "Transition" in key} == set()
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_the_bucket_is_the_one_that_deploys_look_for() -> None:
    name = filled(RESOURCES["ArtifactBucket"]["Properties"]["BucketName"])
    assert name == default_bucket(ACCOUNT, REGION)


def test_only_tokens_for_aws_of_one_subject_may_take_the_role() -> None:
    (statement,) = RESOURCES["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert statement["Condition"] == {
        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{issuer}:sub": {"Ref": "GitHubSubject"}},
    }
