"""The permission boundary: the most that any role of a deploy may do, whatever its own policy says. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from typing import Any

from preheat_providers._aws.bootstrap.bucket import NAME
from preheat_providers._aws.bootstrap.statements import (
    BOUNDARY,
    PREFIX,
    Statement,
    allow,
    deny,
    here,
    policy,
    s3,
    sub,
)

OWN_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}
HOSTING = {"StringEquals": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/Endpoints"]}}


def boundary() -> dict[str, Any]:
    """Return the managed policy."""
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": sub(BOUNDARY),
            "Description": "The most that a function deployed by preheat may do.",
            "PolicyDocument": policy(*_records(), *_messages(), *_models(), *_traces()),
        },
    }


def _records() -> tuple[Statement, ...]:
    objects = ["AbortMultipartUpload", "DeleteObject", "GetObject", "GetObjectVersion", "PutObject"]
    items = ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"]
    code = {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Bucket}/*", {"Bucket": NAME}]}
    return (
        allow("Objects", "s3", objects, [s3("*/*")], OWN_ACCOUNT),
        allow("Buckets", "s3", ["ListBucket"], [s3("*")], OWN_ACCOUNT),
        deny("NoCodeOfOthers", "s3", ["DeleteObject", "PutObject"], [code]),
        allow("Records", "dynamodb", items, [here("dynamodb", f"table/{PREFIX}")]),
        allow("Keys", "kms", ["Decrypt", "GenerateDataKey"], [here("kms", "key/*")]),
    )


def _messages() -> tuple[Statement, ...]:
    queues = ["ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage"]
    queues += ["SendMessage"]
    destinations = here("events", f"api-destination/{PREFIX}")
    return (
        allow("Queues", "sqs", queues, [here("sqs", "*")]),
        allow("Itself", "lambda", ["InvokeFunction"], [here("lambda", f"function:{PREFIX}")]),
        allow("Topics", "sns", ["Publish"], [here("sns", PREFIX)]),
        allow("Destinations", "events", ["InvokeApiDestination"], [destinations]),
    )


def _models() -> tuple[Statement, ...]:
    pulls = ["BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"]
    calls = ["InvokeEndpoint", "InvokeEndpointAsync"]
    return (
        allow("Images", "ecr", pulls, [here("ecr", "repository/preheat/*")]),
        # A login is one for every repository of the registry, and metrics have no ARN.
        allow("Registry", "ecr", ["GetAuthorizationToken"], ["*"]),
        allow("Metrics", "cloudwatch", ["PutMetricData"], ["*"], HOSTING),
        allow("Endpoints", "sagemaker", calls, [here("sagemaker", f"endpoint/{PREFIX}")]),
    )


def _traces() -> tuple[Statement, ...]:
    hosted = here("logs", f"log-group:/aws/sagemaker/Endpoints/{PREFIX}")
    writes = ["CreateLogStream", "PutLogEvents"]
    return (
        allow("Logs", "logs", writes, [here("logs", "log-group:/preheat/*")]),
        # SageMaker makes the group itself where the stack has not.
        allow("EndpointLogs", "logs", [*writes, "CreateLogGroup", "DescribeLogStreams"], [hosted]),
        # X-Ray knows no resources to narrow these by.
        allow("Traces", "xray", ["PutTelemetryRecords", "PutTraceSegments"], ["*"]),
    )
