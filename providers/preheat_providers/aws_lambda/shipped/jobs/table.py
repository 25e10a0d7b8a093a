"""The items of jobs in DynamoDB. Every change is one conditional write, so that of two one is refused."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from preheat_providers.aws_lambda.shipped.jobs.client import Unmet, asking
from preheat_providers.aws_lambda.shipped.jobs.records import Item, Record, record_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class JobTable:
    """The table `name`."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def add(self, item: Item, now: float) -> bool:
        """Put `item` unless its key is taken by one that has not expired; say whether it was put."""
        try:
            with asking("recorded"):
                self._client.put_item(
                    TableName=self._name,
                    Item=item,
                    ConditionExpression="attribute_not_exists(id) OR expiration <= :now",
                    ExpressionAttributeValues={":now": _number(now)},
                )
        except Unmet:
            return False
        return True

    def item(self, key: Mapping[str, str]) -> Item | None:
        """Return what is under `key` now."""
        with asking("read"):
            found = self._client.get_item(TableName=self._name, Key={"id": dict(key)}, ConsistentRead=True)
        return dict(found["Item"]) if "Item" in found else None

    def record(self, job_id: str, now: float) -> Record | None:
        """Return a job that has not expired."""
        item = self.item({"S": record_key(job_id)})
        record = None if item is None else Record.of(item)
        return record if record is not None and record.expires > now else None

    def replace(self, old: Record, new: Record) -> bool:
        """Write `new` if the job is still as `old`; say whether it was."""
        try:
            with asking("recorded"):
                self._client.put_item(
                    TableName=self._name,
                    Item=new.item(),
                    ConditionExpression="job_status = :status AND attempts = :attempts",
                    ExpressionAttributeValues={
                        ":status": {"S": old.status},
                        ":attempts": _number(old.attempts),
                    },
                )
        except Unmet:
            return False
        return True

    def remove(self, item: Item) -> None:
        """Remove `item`, which is as it was put."""
        with asking("removed"):
            self._client.delete_item(TableName=self._name, Key={"id": item["id"]})


def _number(value: float) -> Any:
    return {"N": repr(value)}
