"""What SQS refuses, in our words."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from preheat.errors import BadInput, Unavailable
from preheat_providers.modal.shipped.uploads.polling import Message
from preheat_providers.modal.shipped.uploads.queue import SqsQueue

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/uploads"


@pytest.fixture
def client() -> Any:
    return boto3.client("sqs", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")


def test_messages_are_received_and_deleted_by_their_receipts(client: Any) -> None:
    found = {"MessageId": "1", "Body": "{}", "ReceiptHandle": "r"}
    with Stubber(client) as stub:
        stub.add_response(
            "receive_message",
            {"Messages": [found]},
            {"QueueUrl": URL, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1},
        )
        stub.add_response(
            "delete_message_batch",
            {"Successful": [{"Id": "0"}], "Failed": []},
            {"QueueUrl": URL, "Entries": [{"Id": "0", "ReceiptHandle": "r"}]},
        )
        queue = SqsQueue(client, URL)
        [message] = queue.receive()
        assert message == Message("1", "{}", "r")
        queue.delete([message])
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [
        ("AccessDenied", 403, BadInput),
        ("InternalError", 500, Unavailable),
        ("ThrottlingException", 429, Unavailable),
    ],
)
def test_a_refusal_says_what_to_allow(client: Any, code: str, status: int, raised: type[Exception]) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("receive_message", code, http_status_code=status)
        with pytest.raises(raised, match=f"{code}.*sqs:ReceiveMessage and sqs:DeleteMessage"):
            SqsQueue(client, URL).receive()
