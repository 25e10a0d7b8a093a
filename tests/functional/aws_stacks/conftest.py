"""Stacks against two emulators of CloudFormation, over HTTP with real boto3."""

from collections.abc import Iterator

import pytest
from tests.fakes.aws.ministack import Ministack

from preheat_providers._aws.session import Session
from preheat_providers._aws.stacks import Stacks

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTONLY",
    "AWS_SECRET_ACCESS_KEY": "never-to-be-logged",
    "AWS_REGION": "us-east-1",
}


@pytest.fixture
def moto(s3_endpoint: str) -> Session:
    """An empty moto: it makes everything at once, and knows no failures and no rollbacks."""
    return Session(environ=KEYS | {"AWS_ENDPOINT_URL": s3_endpoint})


@pytest.fixture(scope="session")
def _ministack() -> Iterator[str]:
    with Ministack() as server:
        yield server.endpoint


@pytest.fixture
def ministack(_ministack: str) -> Session:
    """A MiniStack, which works while we wait, and rolls back; shared, so names are the test's own."""
    return Session(environ=KEYS | {"AWS_ENDPOINT_URL": _ministack, "AWS_ACCESS_KEY_ID": "test"})


@pytest.fixture(params=["moto", "ministack"])
def session(request: pytest.FixtureRequest) -> Session:
    found: Session = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def stacks(session: Session) -> Stacks:
    return Stacks(session.client("cloudformation"), sleep=lambda _: None)
