"""The functions of CloudFormation that templates here use, and the ARNs that are made with them."""

from typing import Any

Json = dict[str, Any]
Resources = dict[str, Json]

POLICY_VERSION = "2012-10-17"


def ref(logical_id: str) -> Json:
    """Return what the resource or parameter is known by."""
    return {"Ref": logical_id}


def att(logical_id: str, attribute: str = "Arn") -> Json:
    """Return an attribute of the resource."""
    return {"Fn::GetAtt": [logical_id, attribute]}


def sub(text: str) -> Json:
    """Return `text` with each `${NAME}` in it replaced; `${!` stands for `${`."""
    return {"Fn::Sub": text}


def resource(kind: str, properties: Json, **attributes: Any) -> Json:
    """Return a resource; properties that are None are left out."""
    kept = {key: value for key, value in properties.items() if value is not None}
    return {"Type": kind, **attributes, "Properties": kept}


def local_arn(service: str, rest: str) -> Json:
    """Return the ARN of something in the stack's own account and region."""
    return sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")


def bucket_arn(bucket: str) -> Json:
    """Return the ARN of a bucket."""
    return sub(f"arn:${{AWS::Partition}}:s3:::{bucket}")


def object_arn(bucket: str, pattern: str) -> Json:
    """Return the ARN of objects; `bucket` may be `${PARAMETER}`, and `pattern` may hold `iam_text`."""
    return sub(f"arn:${{AWS::Partition}}:s3:::{bucket}/{pattern}")


def iam_text(text: str) -> str:
    """Return `text` for `sub` so that IAM takes each character of it as itself, wildcards included.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    return "".join(f"${{!{each}}}" if each in "*?$" else each for each in text)


def allow(sid: str, actions: list[str], resources: list[Any], **more: Any) -> Json:
    """Return a statement that allows `actions` on `resources`."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources, **more}


def policy(*statements: Json) -> Json:
    """Return a policy document."""
    return {"Version": POLICY_VERSION, "Statement": list(statements)}
