"""What remembers: the table of what ran, the bucket of jobs, and the calls that failed for good."""

from preheat_providers._aws.templates.buckets import private_bucket
from preheat_providers._aws.templates.intrinsics import Json, Resources, att, ref, resource
from preheat_providers._aws.templates.queues import dead_letters
from preheat_providers.aws_lambda.template.names import ALIAS
from preheat_providers.aws_lambda.template.wanted import Wanted

KEPT_DAYS = 7
RETRIES = 2
"""Three attempts in all, which is what schedules and jobs have everywhere."""


def memory_resources(wanted: Wanted) -> Resources:
    """Return what `wanted` needs of them."""
    resources: Resources = {}
    if wanted.has_table:
        resources["Table"] = _table()
    if wanted.options.jobs:
        resources["JobsBucket"] = private_bucket(KEPT_DAYS)
    if wanted.has_unattended_calls:
        resources["FailedCalls"] = dead_letters()
        resources["Calls"] = _calls()
    return resources


def _table() -> Json:
    """Return the table as Powertools wants it.

    https://docs.aws.amazon.com/powertools/python/latest/utilities/idempotency/
    """
    return resource(
        "AWS::DynamoDB::Table",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "expiration", "Enabled": True},
        },
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )


def _calls() -> Json:
    return resource(
        "AWS::Lambda::EventInvokeConfig",
        {
            "FunctionName": ref("Function"),
            "Qualifier": ALIAS,
            "MaximumRetryAttempts": RETRIES,
            "DestinationConfig": {"OnFailure": {"Destination": att("FailedCalls")}},
        },
        DependsOn="Alias",
    )
