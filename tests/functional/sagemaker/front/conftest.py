"""The front over S3 of moto and our own asynchronous endpoint, with real boto3 between them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.fakes.clock import HandClock
from tests.fakes.sagemaker.endpoint import AsyncEndpoint
from tests.fakes.sagemaker.invocation import AsyncConfig
from tests.fakes.sagemaker.runtime_api import serving
from tests.fakes.sagemaker.urls import url_event

from preheat.runtime.objects.uploads import Upload
from preheat_providers.sagemaker.front.exchange import answered
from preheat_providers.sagemaker.front.jobs import Jobs, Settings
from preheat_providers.sagemaker.front.storage import Endpoint, Objects
from preheat_providers.sagemaker.front.uploads import Uploads

JOBS, NAME, PREFIX = "jobs", "preheat-ocr-dev", "team/"
SCANS = Upload(name="scans", bucket="uploads-in", prefix="in/", suffix="", output="results/text", attempts=2)


@dataclass
class Bench:
    """An endpoint without instances, its buckets, and the front before it."""

    s3: Any
    runtime: Any
    endpoint: AsyncEndpoint
    clock: HandClock
    token_sha256: str | None = None

    @property
    def jobs(self) -> Jobs:
        """The HTTPS front."""
        settings = Settings(
            bucket=JOBS,
            prefix=PREFIX,
            timeout_s=60,
            token_sha256=self.token_sha256,
            contract='{"title": "Model"}',
        )
        return Jobs(settings, Objects(self.s3), Endpoint(self.runtime, NAME), now=self.clock)

    @property
    def uploads(self) -> Uploads:
        """The forwarder."""
        return Uploads(
            triggers=(SCANS,),
            bucket=JOBS,
            prefix=PREFIX,
            timeout_s=60,
            objects=Objects(self.s3),
            endpoint=Endpoint(self.runtime, NAME),
            now=self.clock,
        )

    def ask(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> dict[str, Any]:
        """Send one request."""
        return answered(url_event(method, path, body, **headers), self.jobs.answer)

    def protected(self, sha256: str) -> "Bench":
        """Return the same behind a token."""
        return replace(self, token_sha256=sha256)

    def listed(self, bucket: str = JOBS) -> list[str]:
        """Return what a bucket holds."""
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=bucket).get("Contents", ())]

    def write(self, key: str, body: bytes, bucket: str = JOBS, **more: str) -> None:
        """Put an object, as SageMaker or somebody else does it."""
        self.s3.put_object(Bucket=bucket, Key=key, Body=body, **more)


@pytest.fixture
def bench(s3_endpoint: str) -> Iterator[Bench]:
    import time

    s3 = boto3.client("s3", endpoint_url=s3_endpoint, config=Config(signature_version="s3v4"))
    for bucket in (JOBS, "uploads-in", "results"):
        s3.create_bucket(Bucket=bucket)
    config = AsyncConfig(output=f"s3://{JOBS}/{PREFIX}outputs/", failure=f"s3://{JOBS}/{PREFIX}failures/")
    endpoint = AsyncEndpoint(NAME, config, s3, lambda topic, message: None)
    with serving({NAME: endpoint}) as address:
        runtime = boto3.client("sagemaker-runtime", endpoint_url=address, region_name="us-east-1")
        yield Bench(s3, runtime, endpoint, HandClock(time.time()))
        runtime.close()
    s3.close()
