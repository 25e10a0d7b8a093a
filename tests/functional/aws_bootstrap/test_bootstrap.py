"""The bootstrap stack in MiniStack, over HTTP with real boto3. AWS itself was not asked.

MiniStack makes no AWS::IAM::OIDCProvider: an account of these tests has one before, or remembers what it
was asked for.
"""

import json

import pytest
from tests.fakes.aws.bootstrapping import REGION, Account, RememberedStacks

from preheat.progress import quiet
from preheat_providers._aws.bootstrap.document import document


def test_a_fresh_account_gets_a_private_bucket_and_a_boundary(account: Account) -> None:
    done = account.bootstrap()
    assert done.changed
    assert done.place == f"account {account.id}, {REGION}"
    assert done.made["artifact bucket"] == account.default_bucket
    assert done.settings == {"region": REGION, "permissions_boundary": done.made["permission boundary"]}
    s3, bucket = account.session.client("s3"), account.default_bucket
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert policy["Statement"][0]["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    boundary = account.session.client("iam").get_policy(PolicyArn=done.made["permission boundary"])
    assert boundary["Policy"]["PolicyName"] == f"preheat-boundary-{REGION}"


def test_the_second_time_nothing_changes(account: Account) -> None:
    first = account.bootstrap()
    second = account.bootstrap()
    assert (first.changed, second.changed) == (True, False)
    assert second.made == first.made


def test_a_stack_of_an_older_version_is_brought_up_to_date(account: Account) -> None:
    older = document()
    del older["Resources"]["ArtifactBucketPolicy"]
    nothing = dict.fromkeys(older["Parameters"], "")
    account.stacks.deploy("preheat-bootstrap", older, parameters=nothing, tags={}, report=quiet)
    assert account.bootstrap().changed
    assert account.session.client("s3").get_bucket_policy(Bucket=account.default_bucket)["Policy"]


def test_a_bucket_that_exists_already_is_named_with_the_line_that_uses_it(account: Account) -> None:
    account.make_bucket(account.default_bucket)
    refused = account.refusal()
    assert f"{account.default_bucket!r} exists already in this account" in refused.message
    assert refused.hint == f"preheat bootstrap --provider aws_lambda --use-bucket {account.default_bucket}"
    assert account.stacks.find("preheat-bootstrap") is None
    done = account.bootstrap(bucket=account.default_bucket)
    assert done.made["artifact bucket"] == account.default_bucket
    assert "artifact_bucket" not in done.settings


def test_a_bucket_of_ones_own_is_used_and_written_into_the_settings(account: Account) -> None:
    account.make_bucket("acme-artifacts")
    done = account.bootstrap(bucket="acme-artifacts")
    assert done.settings["artifact_bucket"] == "acme-artifacts"
    assert [each["Name"] for each in account.session.client("s3").list_buckets()["Buckets"]] == [
        "acme-artifacts"
    ]
    assert account.bootstrap().made["artifact bucket"] == "acme-artifacts"


def test_a_bucket_that_does_not_exist_cannot_be_used(account: Account) -> None:
    assert "'nowhere' cannot be used for archives" in account.refusal(bucket="nowhere").message
    assert account.stacks.find("preheat-bootstrap") is None


def test_a_bucket_of_another_region_cannot_be_used(account: Account) -> None:
    account.elsewhere("us-west-2").make_bucket("far-away")
    refused = account.refusal(bucket="far-away")
    assert "is in us-west-2" in refused.message
    assert refused.hint is not None
    assert "--region us-west-2" in refused.hint


def test_github_may_take_a_role_through_the_provider_that_the_account_has(account: Account) -> None:
    provider = account.trust_github()
    done = account.bootstrap(repository="acme/models", environment="prod")
    assert done.made["which may be taken by"] == "repo:acme/models:environment:prod"
    name = f"preheat-deploy-{REGION}"
    assert done.made["deploy role"] == f"arn:aws:iam::{account.id}:role/bootstrap/{name}"
    iam = account.session.client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    trust = json.loads(json.dumps(role["AssumeRolePolicyDocument"]))["Statement"][0]
    assert trust["Principal"] == {"Federated": provider}
    assert trust["Condition"]["StringLike"] == {
        "token.actions.githubusercontent.com:sub": "repo:acme/models:environment:prod"
    }
    policy = iam.get_role_policy(RoleName=name, PolicyName="deploy")["PolicyDocument"]
    text = json.dumps(policy)
    assert done.made["permission boundary"] in text
    assert "Fn::" not in text


def test_a_provider_for_github_is_made_where_the_account_has_none(account: Account) -> None:
    stacks = RememberedStacks()
    account.bootstrap(repository="acme/models", stacks=stacks)
    assert stacks.asked == [
        {"ExistingBucket": "", "GitHubSubject": "repo:acme/models:*", "GitHubProvider": ""}
    ]


def test_the_provider_that_the_stack_itself_has_made_stays_its_own(account: Account) -> None:
    stacks = RememberedStacks()
    account.bootstrap(repository="acme/models", stacks=stacks)
    account.trust_github()  # as the stack would have
    account.bootstrap(repository="acme/others", stacks=stacks)
    assert stacks.asked[-1] == {
        "ExistingBucket": None,
        "GitHubSubject": "repo:acme/others:*",
        "GitHubProvider": None,
    }


def test_deleting_the_stack_keeps_the_bucket_which_the_next_one_may_use(account: Account) -> None:
    account.bootstrap()
    account.stacks.delete("preheat-bootstrap", report=quiet)
    buckets = account.session.client("s3").list_buckets()["Buckets"]
    assert [each["Name"] for each in buckets] == [account.default_bucket]
    assert account.refusal().hint is not None
    assert account.bootstrap(bucket=account.default_bucket).changed


def test_what_was_chosen_before_stays_chosen(account: Account) -> None:
    account.trust_github()
    first = account.bootstrap(repository="acme/models", environment="prod")
    again = account.bootstrap()
    assert not again.changed
    assert again.made == first.made


@pytest.mark.parametrize(("environment", "noted"), [(None, True), ("prod", False)])
def test_a_whole_repository_is_noted_as_wide(account: Account, environment: str | None, noted: bool) -> None:
    account.trust_github()
    done = account.bootstrap(repository="acme/models", environment=environment)
    assert any("--environment NAME" in note for note in done.notes) == noted


def test_regions_stand_beside_one_another(account: Account) -> None:
    account.bootstrap()
    other = account.elsewhere("eu-west-1").bootstrap()
    assert other.changed
    assert other.made["artifact bucket"] == f"preheat-{account.id}-eu-west-1"
