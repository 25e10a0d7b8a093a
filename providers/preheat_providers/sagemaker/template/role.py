"""What the container and SageMaker itself may do: each action by name, on what it needs it for.

The actions that hosting asks for, as quoted in public templates from
https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms and
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html
"""

from collections.abc import Iterator

from preheat_providers._aws.parameters import ARTIFACT_BUCKET
from preheat_providers._aws.templates.intrinsics import (
    Json,
    Resources,
    allow,
    bucket_arn,
    local_arn,
    object_arn,
    ref,
)
from preheat_providers._aws.templates.roles import service_role
from preheat_providers._aws.templates.uploads import readable_objects
from preheat_providers.sagemaker.template.names import (
    FAILURES,
    INPUTS,
    OUTPUTS,
    log_group,
    repository_name,
    weights_prefix,
)
from preheat_providers.sagemaker.template.scaling import NAMESPACE
from preheat_providers.sagemaker.template.storage import TOPICS, bucket_text, folder_arn
from preheat_providers.sagemaker.template.wanted import Wanted

PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
HOST_NAMESPACE = "/aws/sagemaker/Endpoints"


def role_resources(wanted: Wanted) -> Resources:
    """Return the role of the model."""
    boundary = wanted.options.permissions_boundary
    return {"Role": service_role("sagemaker.amazonaws.com", *_statements(wanted), boundary=boundary)}


def _statements(wanted: Wanted) -> Iterator[Json]:
    name, stage = wanted.project.name, wanted.project.stage
    yield allow("Image", PULL, [local_arn("ecr", f"repository/{repository_name(name, stage)}")])
    # Neither knows resources: Service Authorization Reference, Amazon ECR and Amazon CloudWatch.
    yield allow("Registry", ["ecr:GetAuthorizationToken"], ["*"])
    named = {"StringEquals": {"cloudwatch:namespace": [NAMESPACE, HOST_NAMESPACE]}}
    yield allow("Metrics", ["cloudwatch:PutMetricData"], ["*"], Condition=named)
    group = log_group(name, stage)
    yield allow(
        "Logs",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [local_arn("logs", f"log-group:{group}"), local_arn("logs", f"log-group:{group}:log-stream:*")],
    )
    if wanted.weights:
        prefix = weights_prefix(name, stage, wanted.weights)
        yield allow("Weights", ["s3:GetObject"], [object_arn(f"${{{ARTIFACT_BUCKET}}}", f"{prefix}*")])
        yield allow(
            "WeightList",
            ["s3:ListBucket"],
            [bucket_arn(f"${{{ARTIFACT_BUCKET}}}")],
            Condition={"StringLike": {"s3:prefix": [f"{prefix}*"]}},
        )
    if wanted.is_async:
        yield from _job_statements(wanted)
    if wanted.options.kms_key:
        yield allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [wanted.options.kms_key])


def _job_statements(wanted: Wanted) -> Iterator[Json]:
    yield allow("Inputs", ["s3:GetObject"], [folder_arn(wanted, INPUTS)])
    results = [folder_arn(wanted, OUTPUTS), folder_arn(wanted, FAILURES)]
    yield allow("Results", ["s3:PutObject", "s3:AbortMultipartUpload"], results)
    buckets = sorted({bucket_text(wanted), *(upload.bucket for upload in wanted.uploads)})
    # Without it S3 answers 403 and not 404 for an input that is gone:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    yield allow("Gone", ["s3:ListBucket"], [bucket_arn(bucket) for bucket in buckets])
    if wanted.uploads:
        yield allow("Uploads", ["s3:GetObject"], readable_objects(wanted.uploads))
    if wanted.options.notify:
        yield allow("Topics", ["sns:Publish"], [ref(topic) for topic in TOPICS])
