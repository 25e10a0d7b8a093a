"""Buckets of users, whose notifications are added to and never replaced."""

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.fakes.lambda_control import BUCKET

from preheat.errors import ProviderError
from preheat_providers._aws.buckets import make_tell, tells_events
from preheat_providers._aws.session import Session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"


@pytest.fixture
def others(s3: "S3Client", session: Session) -> dict[str, Any]:
    """What somebody else has set up on the bucket."""
    sqs = session.client("sqs")
    url = sqs.create_queue(QueueName="theirs")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "Id": "theirs",
                    "QueueArn": arn,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "theirs/"}]}},
                }
            ]
        },
    )
    return notifications(s3)


def notifications(s3: "S3Client") -> dict[str, Any]:
    found = dict(s3.get_bucket_notification_configuration(Bucket=BUCKET))
    del found["ResponseMetadata"]
    return found


class Telling:
    """moto's client, which keeps the switch for EventBridge and leaves it out when it is asked."""

    def __init__(self, client: "S3Client", lost: str | None = None) -> None:
        self._client = client
        self._lost = lost
        self._on = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_bucket_notification_configuration(self, **asked: Any) -> dict[str, Any]:
        switch: dict[str, Any] = {"EventBridgeConfiguration": {}} if self._on else {}
        return {**self._client.get_bucket_notification_configuration(**asked), **switch}

    def put_bucket_notification_configuration(self, **asked: Any) -> None:
        """Do it, but for `lost`, which somebody else removes right after us."""
        asked["NotificationConfiguration"].pop(self._lost, None)
        self._client.put_bucket_notification_configuration(**asked)
        self._on = "EventBridgeConfiguration" in asked["NotificationConfiguration"]


@pytest.fixture
def telling(s3: "S3Client") -> "S3Client":
    return cast("S3Client", Telling(s3))


def test_a_bucket_is_switched_once(telling: "S3Client") -> None:
    assert not tells_events(telling, BUCKET)
    assert make_tell(telling, BUCKET, region=REGION, trigger="scans", provider="aws_lambda") is True
    assert tells_events(telling, BUCKET)
    assert make_tell(telling, BUCKET, region=REGION, trigger="scans", provider="aws_lambda") is False


def test_what_others_have_set_up_stays(telling: "S3Client", others: dict[str, Any]) -> None:
    assert others["QueueConfigurations"]
    make_tell(telling, BUCKET, region=REGION, trigger="scans", provider="aws_lambda")
    after = notifications(telling)
    assert after.pop("EventBridgeConfiguration") == {}
    assert after == others


def test_a_bucket_that_is_missing_is_named_with_its_trigger(s3: "S3Client") -> None:
    with pytest.raises(ProviderError, match="The bucket 'nowhere' of the trigger 'scans'") as caught:
        make_tell(s3, "nowhere", region=REGION, trigger="scans", provider="aws_lambda")
    assert caught.value.hint == "aws s3 mb s3://nowhere --region us-east-1"
    assert not tells_events(s3, "nowhere")


def test_a_bucket_of_another_region_sends_its_events_there(s3: "S3Client") -> None:
    with pytest.raises(ProviderError, match="lies in us-east-1, and its events go to EventBridge there"):
        make_tell(s3, BUCKET, region="eu-central-1", trigger="scans", provider="aws_lambda")


@pytest.mark.parametrize("lost", ["QueueConfigurations", "EventBridgeConfiguration"])
def test_a_change_that_comes_between_is_noticed(s3: "S3Client", others: dict[str, Any], lost: str) -> None:
    with pytest.raises(ProviderError, match=f"at the same time: {lost}"):
        make_tell(
            cast("Any", Telling(s3, lost)), BUCKET, region=REGION, trigger="scans", provider="aws_lambda"
        )


def test_a_queue_of_others_that_is_gone_does_not_stop_us(
    telling: "S3Client", others: dict[str, Any], session: Session
) -> None:
    sqs = session.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="theirs")["QueueUrl"])
    assert make_tell(telling, BUCKET, region=REGION, trigger="scans", provider="aws_lambda") is True
    assert "theirs" in json.dumps(notifications(telling))
