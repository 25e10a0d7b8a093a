"""What a deployed stack consists of, read from the account."""

from typing import Any

from tests.fakes.aws.cloud import Cloud


def physical_id(cloud: Cloud, stack: str, logical_id: str) -> str:
    """Return the name or address of one resource of a stack."""
    client = cloud.client("cloudformation")
    found = client.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def stack_of(cloud: Cloud, stack: str) -> Any:
    """Return what CloudFormation says of a stack."""
    [found] = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return found


def waiting(cloud: Cloud, queue: str) -> int:
    """Return how many messages a queue has, those that somebody works on included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    client = cloud.client("sqs")
    found = client.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)
