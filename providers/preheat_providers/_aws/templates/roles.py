"""A role that a service of AWS takes, for what its statements allow."""

from typing import Any

from preheat_providers._aws.templates.intrinsics import Json, policy, resource


def service_role(service: str, *statements: Json, boundary: str | None, **condition: Any) -> Json:
    """Return the role; `boundary` is the ARN of the policy that bounds it, `condition` that of the trust."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        **condition,
    }
    return resource(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": policy(trust),
            "PermissionsBoundary": boundary,
            "Policies": [{"PolicyName": "preheat", "PolicyDocument": policy(*statements)}],
        },
    )
