import pytest
from tests.fakes.lambda_templates import QUEUE, UPLOAD, of_kind, properties, template

from preheat.project.model import ObjectCreated, Resources, Scaling
from preheat_providers.aws_lambda.options import Options


def test_the_bucket_tells_the_rule_and_the_rule_its_queue() -> None:
    made = template(UPLOAD)
    rule = properties(made, "UploadRuleScans")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["uploads"]}, "object": {"key": [{"wildcard": "in/*.png"}]}},
    }
    assert rule["Targets"] == [{"Id": "queue", "Arn": {"Fn::GetAtt": ["UploadQueueScans", "Arn"]}}]
    policy = properties(made, "UploadPolicyScans")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["UploadRuleScans", "Arn"]}}
    }


def test_a_trigger_on_the_whole_bucket_asks_for_no_key() -> None:
    whole = ObjectCreated(name="all", bucket="uploads", output="results")
    pattern = properties(template(whole), "UploadRuleAll")["EventPattern"]
    assert pattern["detail"] == {"bucket": {"name": ["uploads"]}}


def test_what_fails_as_often_as_attempts_says_is_kept_for_two_weeks() -> None:
    made = template(
        ObjectCreated(name="scans", bucket="b", output="o", attempts=7), resources=Resources(timeout_s=10)
    )
    queue = properties(made, "UploadQueueScans")
    dead = {"Fn::GetAtt": ["UploadDeadLettersScans", "Arn"]}
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": dead, "maxReceiveCount": 7}
    assert queue["VisibilityTimeout"] == 66
    assert properties(made, "UploadDeadLettersScans")["MessageRetentionPeriod"] == 1_209_600
    assert all(each["SqsManagedSseEnabled"] for each in of_kind(made, "SQS::Queue").values())


def test_one_message_is_run_at_a_time_by_the_alias_and_failures_come_again() -> None:
    made = template(UPLOAD, QUEUE)
    for name in ("UploadSourceScans", "QueueSourcePictures"):
        source = properties(made, name)
        assert source["FunctionName"] == {"Ref": "Alias"}
        assert source["BatchSize"] == 1
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize(
    ("most", "reserved", "expected"),
    [(1, None, 2), (4, None, 4), (10_000, None, 1000), (50, 20, 20), (4, 1, 2)],
)
def test_as_many_run_at_once_as_scaling_says_and_lambda_takes(
    most: int, reserved: int | None, expected: int
) -> None:
    made = template(UPLOAD, scaling=Scaling(max=most), options=Options(reserved_concurrency=reserved))
    source = properties(made, "UploadSourceScans")
    assert source["ScalingConfig"] == {"MaximumConcurrency": expected}
    assert properties(made, "Function").get("ReservedConcurrentExecutions") == reserved
