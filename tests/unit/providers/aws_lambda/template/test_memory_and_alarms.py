import json
from typing import Any

import pytest
from tests.fakes.lambda_events import Context, failures, sqs_event, sqs_message
from tests.fakes.lambda_templates import EVERY_TRIGGER, QUEUE, TICK, UPLOAD, of_kind, properties, template
from tests.fakes.lambda_work import Bucket, Length, Remembered

from preheat.project.model import Trigger
from preheat_providers._aws.templates.anatomy import alarm_names
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.shipped.events.messages import Messages
from preheat_providers.aws_lambda.shipped.events.report import LogReport
from preheat_providers.aws_lambda.shipped.events.uploads import Uploads
from preheat_providers.aws_lambda.shipped.events.work import Worker
from preheat_providers.aws_lambda.shipped.settings import Queue

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"


def test_the_table_forgets_what_powertools_lets_expire() -> None:
    table = properties(template(UPLOAD), "Table")
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_bucket_of_jobs_is_encrypted_closed_and_forgets_in_a_week() -> None:
    made = template(options=Options(jobs=True))
    bucket = properties(made, "JobsBucket")
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 7
    assert "AES256" in str(bucket["BucketEncryption"])
    assert made["Outputs"]["JobsBucket"] == {"Value": {"Ref": "JobsBucket"}}


def test_without_jobs_there_is_no_bucket() -> None:
    made = template(UPLOAD)
    assert of_kind(made, "S3::Bucket") == {}
    assert "JobsBucket" not in made["Outputs"]


def test_calls_that_nobody_waits_for_are_kept_when_they_failed_three_times() -> None:
    for made in (template(TICK), template(options=Options(jobs=True))):
        calls = properties(made, "Calls")
        assert (calls["Qualifier"], calls["MaximumRetryAttempts"]) == ("live", 2)
        assert calls["DestinationConfig"] == {
            "OnFailure": {"Destination": {"Fn::GetAtt": ["FailedCalls", "Arn"]}}
        }
    assert "Calls" not in template(UPLOAD)["Resources"]


def test_every_queue_of_dead_letters_has_an_alarm() -> None:
    made = template(*EVERY_TRIGGER)
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in of_kind(made, "CloudWatch::Alarm").values()
        for dimension in alarm["Dimensions"]
        if dimension["Name"] == "QueueName"
    }
    assert watched == {"UploadDeadLettersScans", "FailedCalls"}


def embedded(text: str) -> list[dict[str, Any]]:
    """The lines of a log that CloudWatch reads metrics from."""
    return [line for line in map(json.loads, text.splitlines()) if "_aws" in line]


def test_a_message_that_fails_counts_for_the_alarm_on_failed_deliveries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is an answer to Lambda, no error: neither `Errors` nor a queue of somebody else would tell."""
    report = LogReport("ocr", "dev")
    worker = Worker(Length(), Remembered(), report)
    uploads = Uploads([], Bucket(), worker, report, limit=100)
    messages = Messages([Queue(name=QUEUE.name, queue=QUEUE.queue)], uploads, worker, report)
    message = sqs_message("poison", queue=QUEUE.queue)
    for _ in range(2):
        report.begin(Context())
        assert failures(messages.deliver(sqs_event(message), Context())) == [message["messageId"]]
        report.end()
    written = embedded(capsys.readouterr().out)
    assert len(written) == 2
    alarm = properties(template(QUEUE), "FailedDeliveryAlarm")
    for line in written:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == alarm["Namespace"]
        assert alarm["MetricName"] in [metric["Name"] for metric in directive["Metrics"]]
        (dimensions,) = directive["Dimensions"]
        watched = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert watched == {name: line[name] for name in dimensions}


@pytest.mark.parametrize(("trigger", "watched"), [(UPLOAD, True), (QUEUE, True), (TICK, False)])
def test_failed_deliveries_are_watched_where_a_queue_brings_them(trigger: Trigger, watched: bool) -> None:
    names = alarm_names(template(trigger))
    assert ("preheat-ocr-dev-failed-deliveries" in names) is watched


def test_errors_and_throttles_of_the_alias_have_alarms_that_begin_with_the_functions_name() -> None:
    alarms = of_kind(template(), "CloudWatch::Alarm")
    assert {each["MetricName"] for each in alarms.values()} == {"Errors", "Throttles", "Url5xxCount"}
    for alarm in alarms.values():
        assert alarm["AlarmName"].startswith("preheat-ocr-dev-")
        assert {"Name": "Resource", "Value": "preheat-ocr-dev:live"} in alarm["Dimensions"]
        assert "AlarmActions" not in alarm


def test_failed_answers_of_an_http_api_have_its_own_metric() -> None:
    alarms = of_kind(template(options=Options(endpoint="http-api")), "CloudWatch::Alarm")
    assert {each["MetricName"] for each in alarms.values()} == {"Errors", "Throttles", "5xx"}
    failed = properties(template(options=Options(endpoint="http-api")), "FailedAnswerAlarm")
    assert failed["Namespace"] == "AWS/ApiGateway"
    assert failed["Dimensions"] == [{"Name": "ApiId", "Value": {"Ref": "Api"}}]


def test_alarms_tell_the_topic() -> None:
    alarms = of_kind(template(*EVERY_TRIGGER, options=Options(alarm_topic=TOPIC)), "CloudWatch::Alarm")
    assert all(alarm["AlarmActions"] == [TOPIC] for alarm in alarms.values())
