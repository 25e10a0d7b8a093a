"""The model and how it runs: the image by its digest, so that a change of code replaces both.

What is replaced stays, to roll back to; the provider removes what is too old, and all of it on destroy.
"""

from typing import Any

from preheat_providers._aws.parameters import ARTIFACT_BUCKET
from preheat_providers._aws.templates.images import image_uri
from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref, resource, sub
from preheat_providers.sagemaker.limits import serverless_memory_mb
from preheat_providers.sagemaker.template.names import (
    DIGEST_TAG,
    FAILURES,
    OUTPUTS,
    VARIANT,
    repository_name,
    stack_tags,
    weights_prefix,
)
from preheat_providers.sagemaker.template.storage import folder_uri
from preheat_providers.sagemaker.template.variables import container_variables
from preheat_providers.sagemaker.template.wanted import Wanted

SECRETS_MARK = "SecretsMark"
"""The metadata of the model that changes with the value of any secret."""

KEPT = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}


def model_resources(wanted: Wanted) -> Resources:
    """Return the model and the endpoint's configuration."""
    marked = {"Metadata": {SECRETS_MARK: wanted.secrets_mark}} if wanted.secrets_mark else {}
    return {
        "Model": resource(
            "AWS::SageMaker::Model",
            {"ExecutionRoleArn": att("Role"), "PrimaryContainer": _container(wanted), "Tags": _tags(wanted)},
            **KEPT,
            **marked,
        ),
        "EndpointConfig": resource(
            "AWS::SageMaker::EndpointConfig",
            {
                "ProductionVariants": [_variant(wanted)],
                "AsyncInferenceConfig": _async_config(wanted) if wanted.is_async else None,
                "KmsKeyId": wanted.options.kms_key if wanted.instance else None,
                "Tags": _tags(wanted),
            },
            **KEPT,
        ),
    }


def _container(wanted: Wanted) -> Json:
    image = f"{repository_name(wanted.project.name, wanted.project.stage)}@{wanted.image}"
    container: Json = {"Image": image_uri(image), "Environment": container_variables(wanted)}
    if wanted.weights:
        prefix = weights_prefix(wanted.project.name, wanted.project.stage, wanted.weights)
        source = {
            "S3Uri": sub(f"s3://${{{ARTIFACT_BUCKET}}}/{prefix}"),
            "S3DataType": "S3Prefix",
            "CompressionType": "None",
        }
        container["ModelDataSource"] = {"S3DataSource": source}
    return container


def _variant(wanted: Wanted) -> Json:
    options = wanted.options
    shared: Json = {"VariantName": VARIANT, "ModelName": att("Model", "ModelName")}
    if wanted.instance is None:
        serverless = {
            "MemorySizeInMB": serverless_memory_mb(wanted.project),
            "MaxConcurrency": options.serverless_concurrency,
        }
        return {**shared, "InitialVariantWeight": 1, "ServerlessConfig": serverless}
    return {
        **shared,
        "InitialVariantWeight": 1,
        "InstanceType": wanted.instance.name,
        **({"InferenceAmiVersion": wanted.ami} if wanted.ami else {}),
        # SageMaker creates no endpoint without an instance; the policies take it down to the least.
        "InitialInstanceCount": max(1, wanted.floor),
        "ContainerStartupHealthCheckTimeoutInSeconds": options.startup_timeout_s,
        **({"VolumeSizeInGB": wanted.volume_gb} if wanted.volume_gb else {}),
        **_download_timeout(wanted),
    }


def _download_timeout(wanted: Wanted) -> Json:
    if wanted.weights is None:
        return {}
    return {"ModelDataDownloadTimeoutInSeconds": wanted.options.startup_timeout_s}


def _async_config(wanted: Wanted) -> Json:
    client: Json | None = None
    if wanted.concurrent is not None:
        client = {"MaxConcurrentInvocationsPerInstance": wanted.concurrent}
    topics: Json | None = None
    if wanted.options.notify:
        topics = {"SuccessTopic": ref("ResultTopic"), "ErrorTopic": ref("FailureTopic")}
    output = {
        "S3OutputPath": folder_uri(wanted, OUTPUTS),
        "S3FailurePath": folder_uri(wanted, FAILURES),
        "KmsKeyId": wanted.options.kms_key,
        "NotificationConfig": topics,
    }
    return _given({"ClientConfig": client, "OutputConfig": _given(output)})


def _tags(wanted: Wanted) -> list[Json]:
    tags = stack_tags(wanted.project.name, wanted.project.stage) | {DIGEST_TAG: wanted.digest}
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _given(values: dict[str, Any]) -> Json:
    return {key: value for key, value in values.items() if value is not None}
