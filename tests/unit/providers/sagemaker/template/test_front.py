import json
from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.lambda_templates import eventbridge_matches, properties, statements
from tests.fakes.sagemaker_templates import FRONT, ODD, UPLOAD, template

from preheat.project.model import HttpTrigger, Scaling
from preheat_providers.sagemaker.options import Mode, Options


def variables(made: dict[str, Any], function: str) -> dict[str, Any]:
    found: dict[str, Any] = properties(made, function)["Environment"]["Variables"]
    return found


@pytest.mark.parametrize(("mode", "door"), [("async", "jobs"), ("realtime", "requests")])
def test_the_door_runs_the_module_of_its_mode(mode: Any, door: Any) -> None:
    made = template(options=Options(mode=mode), scaling=Scaling(min=1))
    assert properties(made, "Front")["Code"] == {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": FRONT}
    assert properties(made, "Front")["Handler"] == f"preheat_providers.sagemaker.front.{door}.handler"


@pytest.mark.parametrize(
    ("mode", "action"),
    [
        ("async", "sagemaker:InvokeEndpointAsync"),
        ("realtime", "sagemaker:InvokeEndpoint"),
        ("serverless", "sagemaker:InvokeEndpoint"),
    ],
)
def test_the_door_may_call_its_own_endpoint_in_one_way(mode: Any, action: str) -> None:
    made = template(options=Options(mode=mode), scaling=Scaling(min=1))
    call = statements(made, "FrontRole")["Call"]
    assert call["Action"] == [action]
    (arn,) = call["Resource"]
    assert arn["Fn::Sub"].endswith(":endpoint/preheat-ocr-dev")


def test_the_door_learns_where_jobs_lie_and_the_digest_of_the_token() -> None:
    made = template()
    assert variables(made, "Front") == {
        "PREHEAT_ENDPOINT": "preheat-ocr-dev",
        "PREHEAT_TIMEOUT_S": "60",
        "PREHEAT_BUCKET": {"Ref": "Jobs"},
        "PREHEAT_PREFIX": "",
        "PREHEAT_TOKEN_SHA256": {"Ref": "TokenSha256"},
    }
    assert made["Parameters"]["TokenSha256"]["NoEcho"] is True


@pytest.mark.parametrize(("mode", "most"), [("realtime", 6 << 20), ("serverless", 4 << 20)])
def test_the_front_of_requests_learns_how_large_one_may_be(mode: Mode, most: int) -> None:
    assert variables(template(options=Options(mode=mode)), "Front")["PREHEAT_BODY_BYTES"] == str(most)


@pytest.mark.parametrize("more", [{"http": HttpTrigger(auth="none")}, {"options": Options(auth="iam")}])
def test_without_a_token_there_is_no_digest(more: dict[str, Any]) -> None:
    made = template(**more)
    assert "TokenSha256" not in made["Parameters"]
    assert "PREHEAT_TOKEN_SHA256" not in variables(made, "Front")


def test_with_iam_nobody_may_call_who_is_not_allowed_elsewhere() -> None:
    made = template(options=Options(auth="iam"))
    assert properties(made, "Url")["AuthType"] == "AWS_IAM"
    assert not {"UrlPermission", "UrlCallPermission"} & made["Resources"].keys()


def test_without_uploads_there_is_no_forwarder_and_no_event_of_the_bucket() -> None:
    made = template()
    assert not [name for name in made["Resources"] if "Upload" in name]
    assert "NotificationConfiguration" not in properties(made, "Jobs")


def test_each_upload_is_told_of_once_by_a_rule_of_its_own() -> None:
    made = template(UPLOAD, ODD)
    rules = {name: each for name, each in made["Resources"].items() if each["Type"] == "AWS::Events::Rule"}
    assert len(rules) == 3
    detail = properties(made, "UploadRuleScans")["EventPattern"]["detail"]
    assert detail["bucket"] == {"name": ["uploads"]}
    assert eventbridge_matches(detail["object"]["key"], "in/a.png")
    assert not eventbridge_matches(detail["object"]["key"], "in/a.txt")


def test_results_and_failures_come_back_to_the_forwarder() -> None:
    made = template(UPLOAD)
    detail = properties(made, "UploadResults")["EventPattern"]["detail"]
    assert detail["bucket"] == {"name": [{"Ref": "Jobs"}]}
    keys = detail["object"]["key"]
    assert eventbridge_matches(keys, "outputs/3f2.out")
    assert eventbridge_matches(keys, "failures/3f2.out")
    assert not eventbridge_matches(keys, "inputs/3f2")
    assert not eventbridge_matches(keys, "records/3f2.json")
    sent = properties(made, "Jobs")["NotificationConfiguration"]["EventBridgeConfiguration"]
    assert sent == {"EventBridgeEnabled": True}


def test_each_rule_may_call_the_forwarder_and_keep_what_it_could_not_deliver() -> None:
    made = template(UPLOAD)
    for rule in ("UploadRuleScans", "UploadResults"):
        call = properties(made, f"{rule}Call")
        assert call["SourceArn"] == {"Fn::GetAtt": [rule, "Arn"]}
        (target,) = properties(made, rule)["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["LostUploads", "Arn"]}}
    (statement,) = properties(made, "LostUploadsPolicy")["PolicyDocument"]["Statement"]
    senders = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert [each["Fn::GetAtt"][0] for each in senders] == ["UploadRuleScans", "UploadResults"]


def test_the_forwarder_knows_its_triggers_and_writes_under_their_output_alone() -> None:
    made = template(UPLOAD)
    assert json.loads(variables(made, "Uploads")["PREHEAT_TRIGGERS"]) == [
        {
            "name": "scans",
            "bucket": "uploads",
            "prefix": "in/",
            "suffix": ".png",
            "output": "results/text",
            "attempts": 3,
        }
    ]
    delivered = statements(made, "UploadsRole")["Delivered"]
    assert delivered["Action"] == ["s3:PutObject", "s3:AbortMultipartUpload"]
    assert delivered["Resource"] == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::results/text/*"}]


def test_the_endpoint_reads_uploads_in_place() -> None:
    assert statements(template(UPLOAD))["Uploads"]["Resource"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:s3:::uploads/in/*.png"}
    ]


@pytest.mark.parametrize(("attempts", "retries"), [(1, 0), (2, 1), (3, 2), (9, 2)])
def test_an_event_is_tried_as_often_as_the_trigger_says_and_lambda_can(attempts: int, retries: int) -> None:
    made = template(replace(UPLOAD, attempts=attempts))
    assert properties(made, "UploadRetries")["MaximumRetryAttempts"] == retries
