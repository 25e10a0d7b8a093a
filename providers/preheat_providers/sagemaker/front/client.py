"""The clients of AWS that the small functions use: the only module here that imports the SDK. Ships."""

import os
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

__all__ = ["ClientError", "ReadTimeoutError", "code_of", "found_wrong", "runtime_client", "s3_client"]


def s3_client() -> "S3Client":
    """Return a client whose links are valid for encrypted objects too."""
    config = Config(signature_version="s3v4", retries={"mode": "standard"})
    client: S3Client = boto3.client("s3", region_name=os.environ["AWS_REGION"], config=config)
    return client


def runtime_client(*, answer_s: float | None = None) -> "SageMakerRuntimeClient":
    """Return a client of endpoints; with `answer_s` for calls that run a model, which are never repeated."""
    once = Config(read_timeout=answer_s or 60, retries={"total_max_attempts": 1})
    config = Config(retries={"mode": "standard"}) if answer_s is None else once
    region = os.environ["AWS_REGION"]
    client: SageMakerRuntimeClient = boto3.client("sagemaker-runtime", region_name=region, config=config)
    return client


def code_of(error: ClientError) -> str:
    """Return the code of what AWS refused."""
    return str(error.response.get("Error", {}).get("Code", ""))


def found_wrong(error: ClientError) -> str | None:
    """Return what SageMaker finds wrong with a request; None where the request is not to blame."""
    said = str(error.response.get("Error", {}).get("Message", ""))
    # An endpoint that is not there, or not yet, has the same code, and no other that says it.
    return said if code_of(error) == "ValidationError" and "not found" not in said else None
