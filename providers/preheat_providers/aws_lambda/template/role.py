"""What the function may do: each action by name, on what it needs it for."""

from collections.abc import Iterator

from preheat_providers._aws.templates.intrinsics import (
    Json,
    Resources,
    allow,
    att,
    bucket_arn,
    object_arn,
)
from preheat_providers._aws.templates.roles import service_role
from preheat_providers._aws.templates.uploads import readable_objects, written_objects
from preheat_providers.aws_lambda.template.names import alias_arn, object_prefix
from preheat_providers.aws_lambda.template.queues import queue_arn
from preheat_providers.aws_lambda.template.uploads import queue_id
from preheat_providers.aws_lambda.template.wanted import Wanted

QUEUE_ACTIONS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
"""What an event source mapping asks the role for:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

TABLE_ACTIONS = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]


def role_resources(wanted: Wanted) -> Resources:
    """Return the role that the function runs under."""
    boundary = wanted.options.permissions_boundary
    return {"Role": service_role("lambda.amazonaws.com", *_statements(wanted), boundary=boundary)}


def _statements(wanted: Wanted) -> Iterator[Json]:
    options = wanted.options
    yield allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [att("LogGroup")])
    if options.tracing:
        # Neither knows resources: Service Authorization Reference, "Actions defined by AWS X-Ray".
        yield allow("Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])
    if options.weights == "s3":
        prefix = object_prefix(wanted.project.name, wanted.project.stage)
        yield allow("Weights", ["s3:GetObject"], [object_arn("${ArtifactBucket}", f"{prefix}weights/*")])
    if wanted.uploads:
        yield from _upload_statements(wanted)
    queues = [
        *(att(queue_id(upload)) for upload in wanted.uploads),
        *(queue_arn(trigger) for trigger in wanted.queues),
    ]
    if queues:
        yield allow("Queues", QUEUE_ACTIONS, queues)
    if wanted.has_table:
        yield allow("Table", TABLE_ACTIONS, [att("Table")])
    if wanted.has_unattended_calls:
        yield allow("FailedCalls", ["sqs:SendMessage"], [att("FailedCalls")])
    if options.jobs:
        jobs = {"Fn::Sub": "${JobsBucket.Arn}/*"}
        yield allow("Jobs", ["s3:GetObject", "s3:PutObject"], [jobs])
        yield allow("OwnCalls", ["lambda:InvokeFunction"], [alias_arn(wanted.function)])


def _upload_statements(wanted: Wanted) -> Iterator[Json]:
    yield allow("Uploads", ["s3:GetObject", "s3:GetObjectVersion"], readable_objects(wanted.uploads))
    # Without it S3 answers 403 and not 404 for an object that is gone:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    buckets = sorted({upload.bucket for upload in wanted.uploads})
    yield allow("Gone", ["s3:ListBucket"], [bucket_arn(bucket) for bucket in buckets])
    yield allow("Results", ["s3:PutObject"], written_objects(wanted.uploads))
