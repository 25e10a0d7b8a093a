"""Events as AWS sends them to a function, with the identities shortened, and the context that comes along.

The shapes are those of the Lambda and S3 developer guides: "Invoking Lambda function URLs", "Create Lambda
proxy integrations", "Lambda functions as targets", "Event message structure", "Using Lambda with Amazon SQS".
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

Event = dict[str, Any]
REQUEST_ID = "0f6e3a2c-6f1d-4a65-9e57-6a3d2f9f3c11"


@dataclass(frozen=True)
class Context:
    """What the function learns of one call."""

    aws_request_id: str = REQUEST_ID
    left_ms: int = 60_000
    function_name: str = "demo"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:111122223333:function:demo"

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


def _body(body: bytes | None) -> Event:
    if body is None:
        return {"body": None, "isBase64Encoded": False}
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode(), "isBase64Encoded": True}


def version_2(
    path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> Event:
    """A request to a Function URL, or to an HTTP API with payload format 2.0."""
    sent = {"host": "abc.lambda-url.us-east-1.on.aws", "x-forwarded-proto": "https", "accept": "*/*"}
    sent |= {name.lower(): value for name, value in (headers or {}).items()}
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc",
            "domainName": "abc.lambda-url.us-east-1.on.aws",
            "http": http,
            "requestId": "r1",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 1767225600000,
        },
        **_body(body),
    }


def version_1(
    path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> Event:
    """A request to a REST API."""
    sent = {"Host": "abc.execute-api.us-east-1.amazonaws.com", "X-Forwarded-Proto": "https", "Accept": "*/*"}
    sent |= dict(headers or {})
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "accountId": "111122223333",
            "httpMethod": method,
            "identity": {"sourceIp": "127.0.0.1"},
            "path": path,
            "requestId": "r1",
            "stage": "prod",
        },
        **_body(body),
    }


def load_balancer(
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    *,
    multiple: bool = False,
) -> Event:
    """A request to an Application Load Balancer; `multiple` is its setting for repeated headers."""
    sent = {"host": "lb-1.us-east-1.elb.amazonaws.com", "x-forwarded-for": "127.0.0.1", "accept": "*/*"}
    sent |= {name.lower(): value for name, value in (headers or {}).items()}
    values: Event = {"headers": sent, "queryStringParameters": {}}
    if multiple:
        values = {
            "multiValueHeaders": {name: [value] for name, value in sent.items()},
            "multiValueQueryStringParameters": {},
        }
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:t"}},
        "httpMethod": method,
        "path": path,
        **values,
        **_body(body),
    }


def s3_record(
    bucket: str,
    key: str,
    *,
    etag: str = "d41d8cd98f00b204e9800998ecf8427e",
    size: int = 3,
    version_id: str | None = None,
    sequencer: str = "0055AED6DCD90281E5",
    name: str = "ObjectCreated:Put",
) -> Event:
    """One record of a notification of S3; the key is encoded as S3 does it."""
    stored = {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag, "sequencer": sequencer}
    if version_id is not None:
        stored["versionId"] = version_id
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": name,
        "userIdentity": {"principalId": "EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "EXAMPLE"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": stored,
        },
    }


def s3_event(*records: Event) -> Event:
    """A notification of S3."""
    return {"Records": list(records)}


def s3_test_event(bucket: str) -> Event:
    """What S3 sends once, when a notification is set up."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-01-01T00:00:00.000Z",
        "Bucket": bucket,
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
    }


def s3_eventbridge(
    bucket: str, key: str, *, etag: str = "e", size: int = 3, kind: str = "Object Created"
) -> Event:
    """An event of S3 over EventBridge, whose key is as it is."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": size, "etag": etag, "sequencer": "00617F08299329D189"},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        },
    }


def scheduled(schedule: str, *, time: str = "2026-01-01T02:30:00Z") -> Event:
    """What EventBridge Scheduler sends where the schedule has no input of its own."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "111122223333",
        "time": time,
        "region": "us-east-1",
        "resources": [f"arn:aws:scheduler:us-east-1:111122223333:schedule/default/{schedule}"],
        "detail": "{}",
    }


def sqs_message(body: object, *, queue: str = "news", number: int = 1, kind: str | None = None) -> Event:
    """One message; what is no text is written as JSON. `kind` becomes the attribute content-type."""
    attributes = {"content-type": {"stringValue": kind, "dataType": "String"}} if kind else {}
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-{number:012d}",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": attributes,
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:111122223333:{queue}",
        "awsRegion": "us-east-1",
    }


def sqs_event(*messages: Event) -> Event:
    """A batch of messages."""
    return {"Records": list(messages)}


def failures(answer: object) -> list[str]:
    """Return the ids of the messages that an answer to SQS says have failed."""
    assert isinstance(answer, dict), answer
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]
