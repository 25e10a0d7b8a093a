import json
from typing import Any

import pytest
from tests.fakes.lambda_templates import EVERY_TRIGGER, QUEUE, TICK, UPLOAD, properties, statements, template

from preheat.project.model import ObjectCreated
from preheat_providers.aws_lambda.options import Options


def arns(statement: dict[str, Any]) -> list[str]:
    return [each["Fn::Sub"] for each in statement["Resource"]]


def test_a_function_that_answers_requests_only_writes_its_log() -> None:
    (logs,) = statements(template()).values()
    assert logs["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert logs["Resource"] == [{"Fn::GetAtt": ["LogGroup", "Arn"]}]


def test_uploads_are_read_where_the_trigger_watches_and_results_written_where_it_says() -> None:
    found = statements(template(UPLOAD))
    assert found["Uploads"]["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    assert arns(found["Uploads"]) == ["arn:${AWS::Partition}:s3:::uploads/in/*.png"]
    assert found["Results"]["Action"] == ["s3:PutObject"]
    assert arns(found["Results"]) == ["arn:${AWS::Partition}:s3:::results/text/*"]
    assert found["Queues"]["Resource"] == [{"Fn::GetAtt": ["UploadQueueScans", "Arn"]}]


def test_a_prefix_of_results_is_a_folder() -> None:
    beside = ObjectCreated(name="a", bucket="in", output="out/te")
    assert arns(statements(template(beside))["Results"]) == ["arn:${AWS::Partition}:s3:::out/te/*"]
    whole = ObjectCreated(name="a", bucket="in", output="out")
    assert arns(statements(template(whole))["Results"]) == ["arn:${AWS::Partition}:s3:::out/*"]


def test_characters_that_are_wildcards_to_iam_are_taken_as_themselves() -> None:
    odd = ObjectCreated(name="a", bucket="in", prefix="a*?${x}/", output="out/b*")
    found = statements(template(odd))
    assert arns(found["Uploads"]) == ["arn:${AWS::Partition}:s3:::in/a${!*}${!?}${!$}{x}/*"]
    assert arns(found["Results"]) == ["arn:${AWS::Partition}:s3:::out/b${!*}/*"]


def test_a_queue_that_exists_is_read_by_its_arn() -> None:
    found = statements(template(QUEUE))["Queues"]
    assert found["Action"] == ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    assert arns(found) == ["arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:team-pictures"]


def test_weights_from_s3_are_read_below_the_functions_own_prefix() -> None:
    found = statements(template(options=Options(weights="s3")))["Weights"]
    assert found["Action"] == ["s3:GetObject"]
    assert arns(found) == ["arn:${AWS::Partition}:s3:::${ArtifactBucket}/preheat/ocr/dev/weights/*"]


def test_jobs_call_the_functions_own_alias_and_keep_to_their_bucket() -> None:
    found = statements(template(options=Options(jobs=True)))
    assert arns(found["OwnCalls"]) == [
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:preheat-ocr-dev:live"
    ]
    assert arns(found["Jobs"]) == ["${JobsBucket.Arn}/*"]
    assert found["Table"]["Resource"] == [{"Fn::GetAtt": ["Table", "Arn"]}]


def test_a_permissions_boundary_bounds_every_role() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    made = template(*EVERY_TRIGGER, options=Options(permissions_boundary=boundary))
    for role in ("Role", "SchedulerRole"):
        assert properties(made, role)["PermissionsBoundary"] == boundary


@pytest.mark.parametrize(
    ("role", "service"), [("Role", "lambda.amazonaws.com"), ("SchedulerRole", "scheduler.amazonaws.com")]
)
def test_a_role_is_for_one_service(role: str, service: str) -> None:
    (trust,) = properties(template(TICK), role)["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": service}, "sts:AssumeRole")


def test_only_traces_are_allowed_on_everything() -> None:
    made = template(*EVERY_TRIGGER, options=Options(jobs=True, tracing=True, weights="s3"))
    wide = [sid for sid, each in statements(made).items() if "*" in each["Resource"]]
    assert wide == ["Traces"]
    assert '"*"' not in json.dumps(statements(made, "SchedulerRole"))
