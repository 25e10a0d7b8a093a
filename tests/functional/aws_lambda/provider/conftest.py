"""Parts of the provider against moto, over HTTP with real boto3.

moto keeps functions, versions and aliases as Lambda does, but runs none, publishes a version also of what
has not changed, and has no provisioned concurrency; its CloudFormation knows no alias. Whole deploys are
in `stacks/`, against an emulator that has those.
"""

from typing import TYPE_CHECKING

import pytest
from tests.fakes.lambda_control import Control

from preheat_providers._aws.session import Session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def session(s3_endpoint: str) -> Session:
    return Session("us-east-1")


@pytest.fixture
def control(session: Session, s3: "S3Client") -> Control:
    """An account with a bucket and a function."""
    control = Control(session)
    control.create()
    return control
