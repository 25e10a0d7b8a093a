"""Clients of the AWS SDK."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
CALLING = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))
"""For a call that somebody waits for, who can ask again: one more attempt, within a second. Three more begin
after seven at the latest, and many a function has less time than that."""


def s3_client() -> "S3Client":
    """Return a client with the function's role."""
    client: S3Client = boto3.client("s3", config=CONFIG)
    return client


def dynamodb_client() -> "DynamoDBClient":
    """Return a client with the function's role."""
    client: DynamoDBClient = boto3.client("dynamodb", config=CONFIG)
    return client


def lambda_client() -> "LambdaClient":
    """Return a client with the function's role."""
    client: LambdaClient = boto3.client("lambda", config=CALLING)
    return client
