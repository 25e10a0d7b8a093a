"""The bootstrap stack as one CloudFormation document, which infra/aws/bootstrap.json repeats. Pure.

`python -m preheat_providers._aws.bootstrap.document > infra/aws/bootstrap.json` writes that anew.
"""

import json
import sys
from typing import Any

from preheat_providers._aws.bootstrap import bucket, deploying, destinations, endpoints, images
from preheat_providers._aws.bootstrap.boundary import boundary
from preheat_providers._aws.bootstrap.statements import Statement, policy, sub

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
ROLE_PATH = "/bootstrap/"
"""Apart from the roles that the deploy role may change, which are called preheat-*."""

PARAMETERS = {
    "ExistingBucket": "A bucket to use for archives in place of one that this stack makes.",
    "GitHubSubject": "Whose tokens of GitHub Actions may deploy, such as repo:OWNER/REPO:environment:prod.",
    "GitHubProvider": "The ARN of the account's OIDC provider for GitHub; empty makes one.",
}


def document() -> dict[str, Any]:
    """Return the template."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What preheat needs once for each account and region.",
        "Parameters": {
            name: {"Type": "String", "Default": "", "Description": text} for name, text in PARAMETERS.items()
        },
        "Conditions": {
            bucket.MAKES: {"Fn::Equals": [{"Ref": "ExistingBucket"}, ""]},
            "TrustsGitHub": {"Fn::Not": [{"Fn::Equals": [{"Ref": "GitHubSubject"}, ""]}]},
            "MakesProvider": {
                "Fn::And": [{"Condition": "TrustsGitHub"}, {"Fn::Equals": [{"Ref": "GitHubProvider"}, ""]}]
            },
        },
        "Resources": {
            "ArtifactBucket": bucket.bucket(),
            "ArtifactBucketPolicy": bucket.bucket_policy(),
            "Boundary": boundary(),
            "GitHub": _provider(),
            "DeployImages": _policy("images", "Images in ECR", images.statements()),
            "DeployEndpoints": _policy("endpoints", "Endpoints of SageMaker", endpoints.statements()),
            "DeployDestinations": _policy("destinations", "API destinations", destinations.statements()),
            "DeployRole": _role(),
        },
        "Outputs": {
            "ArtifactBucket": {"Value": bucket.NAME},
            "Boundary": {"Value": {"Ref": "Boundary"}},
            "DeployRole": {"Condition": "TrustsGitHub", "Value": {"Fn::GetAtt": ["DeployRole", "Arn"]}},
        },
    }


def rendered() -> str:
    """Return the template as text."""
    return json.dumps(document(), indent=2) + "\n"


def _provider() -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::OIDCProvider",
        "Condition": "MakesProvider",
        # An account has one of it, which other regions and others' roles may use by then.
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"Url": f"https://{ISSUER}", "ClientIdList": [AUDIENCE]},
    }


def _policy(name: str, what: str, statements: tuple[Statement, ...]) -> dict[str, Any]:
    """Return a policy beside the role's own, which takes 10,240 characters only."""
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Condition": "TrustsGitHub",
        "Properties": {
            "ManagedPolicyName": sub(f"preheat-deploy-{name}-${{AWS::Region}}"),
            "Description": f"{what}, as deployed with preheat.",
            "PolicyDocument": policy(*statements),
        },
    }


def _role() -> dict[str, Any]:
    provider = {"Fn::If": ["MakesProvider", {"Ref": "GitHub"}, {"Ref": "GitHubProvider"}]}
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": provider},
        "Condition": {
            "StringEquals": {f"{ISSUER}:aud": AUDIENCE},
            "StringLike": {f"{ISSUER}:sub": {"Ref": "GitHubSubject"}},
        },
    }
    return {
        "Type": "AWS::IAM::Role",
        "Condition": "TrustsGitHub",
        "Properties": {
            "RoleName": sub("preheat-deploy-${AWS::Region}"),
            "Path": ROLE_PATH,
            "Description": "Deploys functions with preheat from GitHub Actions.",
            "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": policy(trust),
            "ManagedPolicyArns": [
                {"Ref": "DeployImages"},
                {"Ref": "DeployEndpoints"},
                {"Ref": "DeployDestinations"},
            ],
            "Policies": [{"PolicyName": "deploy", "PolicyDocument": policy(*deploying.statements())}],
        },
    }


if __name__ == "__main__":
    sys.stdout.write(rendered())
