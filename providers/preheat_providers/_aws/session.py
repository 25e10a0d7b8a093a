"""Clients of AWS for one region, and who is asking. Only this module makes them, and only when asked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, overload

from preheat.errors import MissingExtra, ProviderError
from preheat_providers._aws.errors import translated

if TYPE_CHECKING:
    from boto3 import Session as BotoSession
    from botocore.session import Session as CoreSession
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
CONNECT_S = 5.0
ANSWER_S = 60.0
ATTEMPTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a deploy goes to; `partition` is `aws`, `aws-cn` or `aws-us-gov`."""

    id: str
    region: str
    partition: str


class Session:
    """One region of one account. Clients are made once, with bounded time-outs and retries.

    `environ` gives the region, the profile, the keys and the endpoints (AWS_REGION or AWS_DEFAULT_REGION,
    AWS_PROFILE, AWS_ACCESS_KEY_ID and its kin, AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_SERVICE). Without
    keys in it, boto3 finds them where it always does.
    """

    def __init__(self, region: str | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._asked = region
        self._environ = environ
        self._clients: dict[tuple[str, float | None], Any] = {}
        self._lock = Lock()
        self._account: Account | None = None

    @cached_property
    def region(self) -> str:
        """The region asked for, that of the environment, or that of the profile. Raises ProviderError."""
        named = self._asked or self._environ.get("AWS_REGION") or self._environ.get("AWS_DEFAULT_REGION")
        if region := named or self._boto.region_name:
            return region
        profile = self._environ.get("AWS_PROFILE", "default")
        raise ProviderError(
            f"No AWS region is known: preheat.toml, AWS_REGION and the profile {profile!r} name none.",
            hint="export AWS_REGION=eu-central-1  # or region = ... in the table of the provider",
        )

    def account(self) -> Account:
        """Return who asks, from STS, once. Raises ProviderError."""
        if self._account is None:
            client = self.client("sts")
            with translated("AWS does not say who is asking"):
                answer = client.get_caller_identity()
            partition = answer["Arn"].split(":")[1]
            self._account = Account(id=answer["Account"], region=self.region, partition=partition)
        return self._account

    @overload
    def client(
        self, name: Literal["cloudformation"], *, answer_s: float | None = ...
    ) -> "CloudFormationClient": ...
    @overload
    def client(self, name: Literal["cloudwatch"], *, answer_s: float | None = ...) -> "CloudWatchClient": ...
    @overload
    def client(self, name: Literal["dynamodb"], *, answer_s: float | None = ...) -> "DynamoDBClient": ...
    @overload
    def client(self, name: Literal["ecr"], *, answer_s: float | None = ...) -> "ECRClient": ...
    @overload
    def client(self, name: Literal["events"], *, answer_s: float | None = ...) -> "EventBridgeClient": ...
    @overload
    def client(self, name: Literal["iam"], *, answer_s: float | None = ...) -> "IAMClient": ...
    @overload
    def client(self, name: Literal["lambda"], *, answer_s: float | None = ...) -> "LambdaClient": ...
    @overload
    def client(self, name: Literal["logs"], *, answer_s: float | None = ...) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, name: Literal["s3"], *, answer_s: float | None = ...) -> "S3Client": ...
    @overload
    def client(self, name: Literal["sagemaker"], *, answer_s: float | None = ...) -> "SageMakerClient": ...
    @overload
    def client(
        self, name: Literal["sagemaker-runtime"], *, answer_s: float | None = ...
    ) -> "SageMakerRuntimeClient": ...
    @overload
    def client(
        self, name: Literal["scheduler"], *, answer_s: float | None = ...
    ) -> "EventBridgeSchedulerClient": ...
    @overload
    def client(
        self, name: Literal["service-quotas"], *, answer_s: float | None = ...
    ) -> "ServiceQuotasClient": ...
    @overload
    def client(self, name: Literal["sqs"], *, answer_s: float | None = ...) -> "SQSClient": ...
    @overload
    def client(self, name: Literal["sts"], *, answer_s: float | None = ...) -> "STSClient": ...
    def client(self, name: str, *, answer_s: float | None = None) -> Any:
        """Return the client of a service. Raises ProviderError.

        `answer_s` is for calls that run a user's code: they may take so long, and are never repeated.
        """
        region = self.region
        with self._lock, translated(f"AWS's service {name} cannot be asked"):
            if (name, answer_s) not in self._clients:
                self._clients[name, answer_s] = self._boto.client(
                    name, region_name=region, endpoint_url=self._endpoint(name), config=_config(answer_s)
                )
            return self._clients[name, answer_s]

    @cached_property
    def _core(self) -> "CoreSession":
        try:
            from botocore.session import Session as Core
        except ImportError as error:
            raise MissingExtra(
                "Deploying to AWS needs boto3, which is not installed.", hint="pip install 'preheat[aws]'"
            ) from error
        return Core(profile=self._environ.get("AWS_PROFILE") or None)

    @cached_property
    def _boto(self) -> "BotoSession":
        core = self._core
        from boto3 import Session as Boto
        from botocore.exceptions import PartialCredentialsError

        key, secret, token = (self._environ.get(name) or None for name in KEYS)
        with translated("AWS's configuration cannot be used"):
            if (key is None) != (secret is None):  # boto3 would say so only when it signs, and of neither
                missing = KEYS[0] if key is None else KEYS[1]
                raise PartialCredentialsError(provider="the environment", cred_var=missing)
            return Boto(
                botocore_session=core,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
            )

    def _endpoint(self, name: str) -> str | None:
        if self._environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
            return None
        service = self._core.get_service_model(name).service_id.replace(" ", "_").upper()
        return (
            self._environ.get(f"AWS_ENDPOINT_URL_{service}") or self._environ.get("AWS_ENDPOINT_URL") or None
        )


def _config(answer_s: float | None) -> Any:
    from botocore.config import Config

    return Config(
        connect_timeout=CONNECT_S,
        read_timeout=answer_s or ANSWER_S,
        retries={"mode": "standard", "total_max_attempts": 1 if answer_s else ATTEMPTS},
        tcp_keepalive=True,  # what sits between drops a connection that is silent for some minutes
    )
