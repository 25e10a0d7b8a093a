"""The small function that answers HTTPS before the endpoint, and what it may do."""

import json
from collections.abc import Iterator
from typing import Any

from preheat.project.model import ObjectCreated
from preheat_providers._aws.parameters import ARTIFACT_BUCKET, TOKEN_PARAMETER
from preheat_providers._aws.templates.intrinsics import (
    Json,
    Resources,
    allow,
    att,
    bucket_arn,
    local_arn,
    ref,
    resource,
)
from preheat_providers._aws.templates.roles import service_role
from preheat_providers._aws.templates.urls import url_resources
from preheat_providers.sagemaker.limits import body_bytes
from preheat_providers.sagemaker.template.names import (
    FAILURES,
    INPUTS,
    OUTPUTS,
    RECORDS,
    front_log_group,
)
from preheat_providers.sagemaker.template.storage import bucket_name, bucket_text, folder_arn
from preheat_providers.sagemaker.template.wanted import FrontName, Wanted

RUNTIME = "python3.13"
PACKAGE = "preheat_providers.sagemaker.front"

MEMORY_MB = 256
DOOR_S, REQUEST_S, UPLOADS_S = 29, 65, 120
"""When Lambda ends a function: real-time requests may take 60 s."""

ENDPOINT, BUCKET, PREFIX = "PREHEAT_ENDPOINT", "PREHEAT_BUCKET", "PREHEAT_PREFIX"
TIMEOUT, TRIGGERS, BODY = "PREHEAT_TIMEOUT_S", "PREHEAT_TRIGGERS", "PREHEAT_BODY_BYTES"
TOKEN = "PREHEAT_TOKEN_SHA256"  # noqa: S105 - the name of a variable


def front_resources(wanted: Wanted) -> Resources:
    """Return the function, its address, and who may call it."""
    timeout_s = DOOR_S if wanted.is_async else REQUEST_S
    return {
        **function_resources("Front", wanted.door, wanted, *_statements(wanted), timeout_s=timeout_s),
        **url_resources("Front", iam=wanted.options.auth == "iam"),
    }


def function_resources(
    logical_id: str, name: FrontName, wanted: Wanted, *statements: Json, timeout_s: int
) -> Resources:
    """Return the small function called `name`, its role and its logs."""
    group = f"{logical_id}Logs"
    log_name = front_log_group(wanted.project.name, wanted.project.stage, name)
    logs = {"LogGroupName": log_name, "RetentionInDays": wanted.options.log_days}
    write = allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [att(group)])
    role = service_role(
        "lambda.amazonaws.com", write, *statements, boundary=wanted.options.permissions_boundary
    )
    function = {
        "Role": att(f"{logical_id}Role"),
        "Runtime": RUNTIME,
        "Handler": f"{PACKAGE}.{name}.handler",
        "Code": {"S3Bucket": ref(ARTIFACT_BUCKET), "S3Key": wanted.front},
        "MemorySize": MEMORY_MB,
        "Timeout": timeout_s,
        "Environment": {"Variables": front_variables(wanted, name)},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": ref(group)},
    }
    return {
        group: resource("AWS::Logs::LogGroup", logs),
        f"{logical_id}Role": role,
        logical_id: resource("AWS::Lambda::Function", function),
    }


def front_variables(wanted: Wanted, name: FrontName) -> dict[str, Any]:
    """Return what the function of that name reads in its environment."""
    variables: dict[str, Any] = {
        ENDPOINT: wanted.endpoint,
        TIMEOUT: f"{wanted.project.resources.timeout_s:g}",
    }
    if wanted.is_async:
        variables |= {BUCKET: bucket_name(wanted), PREFIX: wanted.prefix}
    if name == "uploads":
        return variables | {TRIGGERS: json.dumps([_trigger(each) for each in wanted.uploads])}
    if name == "requests":
        variables[BODY] = str(body_bytes(wanted.options.mode))
    return variables | ({TOKEN: ref(TOKEN_PARAMETER)} if wanted.token else {})


def call_statement(wanted: Wanted) -> Json:
    """Return what lets a function send the endpoint requests."""
    action = "sagemaker:InvokeEndpointAsync" if wanted.is_async else "sagemaker:InvokeEndpoint"
    return allow("Call", [action], [local_arn("sagemaker", f"endpoint/{wanted.endpoint}")])


def key_statements(wanted: Wanted) -> Iterator[Json]:
    """Yield what lets a function use the key, where there is one."""
    if wanted.options.kms_key:
        yield allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [wanted.options.kms_key])


def listing(wanted: Wanted) -> Json:
    """Return what makes S3 say 404 and not 403 of a result that is not there yet."""
    return allow("Missing", ["s3:ListBucket"], [bucket_arn(bucket_text(wanted))])


def _statements(wanted: Wanted) -> Iterator[Json]:
    yield call_statement(wanted)
    if not wanted.is_async:
        return
    sent = [folder_arn(wanted, INPUTS), folder_arn(wanted, RECORDS)]
    yield allow("Sent", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], sent)
    results = [folder_arn(wanted, OUTPUTS), folder_arn(wanted, FAILURES)]
    yield allow("Results", ["s3:GetObject"], results)
    yield listing(wanted)
    yield from key_statements(wanted)


def _trigger(upload: ObjectCreated) -> Json:
    return {
        "name": upload.name,
        "bucket": upload.bucket,
        "prefix": upload.prefix,
        "suffix": upload.suffix,
        "output": upload.output,
        "attempts": upload.attempts,
    }
