import json
import subprocess
import sys
from pathlib import Path

from tests.fakes.aws.permissions import ACCOUNT, REGION, RESOURCES, attached, bounding, filled, own

from preheat_providers._aws.bootstrap.document import rendered
from preheat_providers.aws_lambda.template.names import default_bucket

FILE = Path(__file__).parents[5] / "infra" / "aws" / "bootstrap.json"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, read on 2026-11-21
INLINE_CHARACTERS, MANAGED_CHARACTERS, MANAGED_POLICIES = 10_240, 6_144, 10


def test_the_file_in_the_repository_is_what_the_code_writes() -> None:
    assert FILE.read_text() == rendered(), (
        "run: python -m preheat_providers._aws.bootstrap.document > infra/aws/bootstrap.json"
    )


def test_cfn_lint_has_nothing_to_say() -> None:
    program = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([program, FILE], capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_the_policies_fit_their_quotas() -> None:
    def characters(policy: object) -> int:
        return len(json.dumps(policy, separators=(",", ":")))

    assert characters(own()) < INLINE_CHARACTERS
    managed = {**attached(), "boundary": bounding()}
    sizes = {name: characters(policy) for name, policy in managed.items()}
    assert {name: size for name, size in sizes.items() if size >= MANAGED_CHARACTERS} == {}
    assert 0 < len(attached()) <= MANAGED_POLICIES


def test_every_statement_has_a_name_of_its_own() -> None:
    for policy in (own(), *attached().values(), bounding()):
        names = [each["Sid"] for each in policy["Statement"]]
        assert len(set(names)) == len(names)


def test_what_the_deploy_role_has_is_there_only_with_the_role() -> None:
    policies = [each["Ref"] for each in RESOURCES["DeployRole"]["Properties"]["ManagedPolicyArns"]]
    conditions = {RESOURCES[name]["Condition"] for name in (*policies, "DeployRole")}
    assert conditions == {"TrustsGitHub"}


def test_the_bucket_is_private_encrypted_and_kept() -> None:
    bucket = RESOURCES["ArtifactBucket"]
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "VersioningConfiguration" not in properties
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert {key for key in rule if "Expir" in key or "Transition" in key} == set()
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_the_bucket_is_the_one_that_deploys_look_for() -> None:
    name = filled(RESOURCES["ArtifactBucket"]["Properties"]["BucketName"])
    assert name == default_bucket(ACCOUNT, REGION)


def test_only_tokens_for_aws_of_one_subject_may_take_the_role() -> None:
    (statement,) = RESOURCES["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert statement["Condition"] == {
        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{issuer}:sub": {"Ref": "GitHubSubject"}},
    }
