"""The permission boundary: the most that any function's role may do, whatever its own policy says. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from typing import Any

from preheat_providers._aws.bootstrap.bucket import NAME
from preheat_providers._aws.bootstrap.statements import BOUNDARY, PREFIX, allow, deny, here, policy, s3, sub

OWN_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}


def boundary() -> dict[str, Any]:
    """Return the managed policy."""
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": sub(BOUNDARY),
            "Description": "The most that a function deployed by preheat may do.",
            "PolicyDocument": policy(
                allow(
                    "Logs",
                    "logs",
                    ["CreateLogStream", "PutLogEvents"],
                    [here("logs", "log-group:/preheat/*")],
                ),
                allow(
                    "Objects",
                    "s3",
                    ["AbortMultipartUpload", "DeleteObject", "GetObject", "GetObjectVersion", "PutObject"],
                    [s3("*/*")],
                    OWN_ACCOUNT,
                ),
                allow("Buckets", "s3", ["ListBucket"], [s3("*")], OWN_ACCOUNT),
                deny(
                    "NoCodeOfOthers",
                    "s3",
                    ["DeleteObject", "PutObject"],
                    [{"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Bucket}/*", {"Bucket": NAME}]}],
                ),
                allow(
                    "Queues",
                    "sqs",
                    [
                        "ChangeMessageVisibility",
                        "DeleteMessage",
                        "GetQueueAttributes",
                        "ReceiveMessage",
                        "SendMessage",
                    ],
                    [here("sqs", "*")],
                ),
                allow(
                    "Records",
                    "dynamodb",
                    ["DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"],
                    [here("dynamodb", f"table/{PREFIX}")],
                ),
                allow("Itself", "lambda", ["InvokeFunction"], [here("lambda", f"function:{PREFIX}")]),
                allow("Keys", "kms", ["Decrypt", "GenerateDataKey"], [here("kms", "key/*")]),
                # X-Ray knows no resources to narrow these by.
                allow("Traces", "xray", ["PutTelemetryRecords", "PutTraceSegments"], ["*"]),
            ),
        },
    }
