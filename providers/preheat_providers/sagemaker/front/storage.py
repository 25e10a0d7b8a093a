"""Objects in S3, and the call of an asynchronous endpoint. Ships: the edge of `jobs` and `uploads`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from preheat_providers.sagemaker.front.client import ClientError, code_of
from preheat_providers.sagemaker.front.documents import Found

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

TTL_S = (60, 21600)
"""How long a request may wait for an instance:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html"""

ABSENT = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})
TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
LINK_S = 300
EMPTY: Mapping[str, str] = MappingProxyType({})


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of `s3://BUCKET/KEY`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of any bucket that the role may use."""

    client: "S3Client"

    def get(self, bucket: str, key: str, most: int) -> Found | None:
        """Return an object, its body if that has at most `most` bytes; None if there is none."""
        try:
            answer = self.client.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise
        with answer["Body"] as stream:
            size = answer["ContentLength"]
            return Found(
                body=stream.read() if size <= most else None,
                bytes=size,
                content_type=answer.get("ContentType", ""),
                modified=answer["LastModified"].timestamp(),
            )

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str = "",
        metadata: Mapping[str, str] = EMPTY,
    ) -> None:
        """Write an object."""
        typed: dict[str, Any] = {"ContentType": content_type} if content_type else {}
        self.client.put_object(Bucket=bucket, Key=key, Body=body, Metadata=dict(metadata), **typed)

    def put_new(self, bucket: str, key: str, body: bytes, *, metadata: Mapping[str, str] = EMPTY) -> bool:
        """Write an object unless there is one; say whether it was written."""
        try:
            self.client.put_object(
                Bucket=bucket, Key=key, Body=body, Metadata=dict(metadata), IfNoneMatch="*"
            )
        except ClientError as error:
            if code_of(error) in TAKEN:
                return False
            raise
        return True

    def metadata(self, bucket: str, key: str) -> Mapping[str, str]:
        """Return what an object was written with; nothing if there is none."""
        try:
            return self.client.head_object(Bucket=bucket, Key=key)["Metadata"]
        except ClientError as error:
            if code_of(error) in ABSENT:
                return {}
            raise

    def etag(self, bucket: str, key: str) -> str | None:
        """Return the eTag of what the key holds now, None where that cannot be seen."""
        try:
            return self.client.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        except ClientError as error:
            if code_of(error) in ABSENT | {"403"}:  # without the right to list, S3 says so of what is gone
                return None
            raise

    def copy(self, source: tuple[str, str], bucket: str, key: str) -> None:
        """Copy an object of any size within S3."""
        self.client.copy({"Bucket": source[0], "Key": source[1]}, bucket, key)

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object."""
        self.client.delete_object(Bucket=bucket, Key=key)

    def link(self, bucket: str, key: str) -> str:
        """Return an address that gives the object to whoever has it, for some minutes."""
        wanted = {"Bucket": bucket, "Key": key}
        return self.client.generate_presigned_url("get_object", Params=wanted, ExpiresIn=LINK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to the endpoint: its input's bucket and key, and how it is to be run."""

    id: str
    bucket: str
    key: str
    content_type: str = ""
    accept: str = ""
    attributes: str = ""
    timeout_s: float
    wait_s: float = TTL_S[1]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An asynchronous endpoint."""

    client: "SageMakerRuntimeClient"
    name: str

    def send(self, call: Call) -> tuple[str, str]:
        """Queue `call`; return where the answer will be, or else the failure. Equal ids, equal places."""
        least, most = TTL_S
        wanted: dict[str, Any] = {
            "InputLocation": f"s3://{call.bucket}/{call.key}",
            "InferenceId": call.id,
            "ContentType": call.content_type,
            "Accept": call.accept,
            "CustomAttributes": call.attributes,
            "InvocationTimeoutSeconds": max(1, round(call.timeout_s)),
            "RequestTTLSeconds": min(most, max(least, round(call.wait_s))),
            "Filename": call.id,
        }
        # Lambda's SDK may be older than the last one; SageMaker makes the name of the id all the same.
        model = self.client.meta.service_model.operation_model("InvokeEndpointAsync")
        known = model.input_shape.members if model.input_shape is not None else {}
        given = {key: value for key, value in wanted.items() if value and key in known}
        answer = self.client.invoke_endpoint_async(EndpointName=self.name, **given)
        return answer["OutputLocation"], answer.get("FailureLocation", "")
