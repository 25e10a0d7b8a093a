from typing import Any

import pytest
from tests.fakes.lambda_events import (
    load_balancer,
    s3_event,
    s3_eventbridge,
    s3_record,
    s3_test_event,
    scheduled,
    sqs_event,
    sqs_message,
    version_1,
    version_2,
)

from preheat_providers.aws_lambda.shipped.shapes import JOB, REQUEST, WARM, Kind, UnknownEvent, kind_of
from preheat_providers.aws_lambda.shipped.web.proxy import is_http

WEBSOCKET = {"requestContext": {"eventType": "MESSAGE", "connectionId": "c", "routeKey": "$default"}}


@pytest.mark.parametrize("event", [version_2("/"), version_1("/"), load_balancer("/")])
def test_requests_over_http_are_told_by_their_context(event: dict[str, Any]) -> None:
    assert is_http(event)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (s3_event(s3_record("b", "k")), "s3"),
        (s3_test_event("b"), "s3"),
        (sqs_event(sqs_message("{}")), "sqs"),
        (s3_eventbridge("b", "k"), "s3-eventbridge"),
        (scheduled("nightly"), "schedule"),
        ({**scheduled("nightly"), "source": "aws.events"}, "schedule"),
        ({JOB: {"id": "1"}}, "job"),
        ({REQUEST: {"body_base64": ""}}, "request"),
        ({WARM: {}}, "warm"),
        ({WARM: {}, REQUEST: {}}, "direct"),
        ({}, "direct"),
        ({"text": "hello"}, "direct"),
        ({"Records": [{"name": "mine"}]}, "direct"),
        ({"Records": "many"}, "direct"),
        ({"requestContext": "mine"}, "direct"),
        ({JOB: {}, "text": "hello"}, "direct"),
        ([1, 2], "direct"),
        ("hello", "direct"),
        (None, "direct"),
        (3.5, "direct"),
    ],
)
def test_every_other_kind_is_told_by_its_shape(event: Any, kind: Kind) -> None:
    assert not (isinstance(event, dict) and is_http(event))
    assert kind_of(event) == kind


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"Records": [{"eventSource": "aws:dynamodb"}]}, "aws:dynamodb"),
        ({"Records": [{"EventSource": "aws:sns"}]}, "aws:sns"),
        ({"Records": [{"eventSource": "aws:kinesis"}, {"eventSource": "aws:s3"}]}, "aws:kinesis, aws:s3"),
        ({**scheduled("x"), "source": "aws.ec2", "detail-type": "EC2 Instance State-change"}, "'aws.ec2'"),
        (WEBSOCKET, "WebSocket"),
    ],
)
def test_an_event_that_no_trigger_makes_is_refused_by_name(event: Any, said: str) -> None:
    with pytest.raises(UnknownEvent, match=said) as refused:
        kind_of(event)
    assert "A function takes HTTP, uploads to S3" in str(refused.value)
