"""A queue of SQS. Ships; imports the AWS SDK when it is opened."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from preheat.errors import BadInput, Unavailable
from preheat_providers.modal.shipped.uploads.polling import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MOST = 10
"""What SQS hands out or deletes at once:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html, 2026-11-21."""
WAIT_S = 1
"""A request that waits asks all servers of the queue, and misses nothing that is there."""
ACTIONS = "sqs:ReceiveMessage and sqs:DeleteMessage"


class SqsQueue:
    """The queue at `url`; implements Queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def receive(self) -> Sequence[Message]:
        """Return up to ten messages."""
        with self._asking():
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=MOST, WaitTimeSeconds=WAIT_S
            )
        return tuple(
            Message(each["MessageId"], each["Body"], each["ReceiptHandle"])
            for each in answer.get("Messages", ())
        )

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete them. Those that SQS does not delete now come again."""
        entries = [{"Id": str(at), "ReceiptHandle": each.receipt} for at, each in enumerate(messages)]
        with self._asking():
            self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            code = error.response.get("Error", {}).get("Code", "unknown")
            kind = Unavailable if status >= 500 or status == 429 else BadInput
            raise kind(f"The queue {self._url} answered {code}. Allow {ACTIONS} on it.") from error
        except BotoCoreError as error:
            raise Unavailable(f"The queue {self._url} does not answer: {error}") from error
