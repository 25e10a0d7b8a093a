"""The deploy role and endpoints of SageMaker, of which MiniStack has everything but SageMaker and scaling.

What it has is deployed and called with IAM in force. For the rest, MiniStack's evaluator judges the requests
that CloudFormation would make. AWS itself was not asked.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.fakes import sagemaker_templates
from tests.fakes.aws.bootstrapping import Account
from tests.fakes.aws.judge import verdicts
from tests.fakes.aws.permissions import Policy, bounding, deploying, here
from tests.fakes.aws.requests import CONFIG, MODEL, Request, requests_of
from tests.fakes.aws.templates import granted

from preheat.progress import quiet
from preheat_providers._aws.stacks import Stack
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.images import SPARE_IMAGES, images_template_of

TAGS = {"preheat:name": "ocr", "preheat:stage": "dev"}
ABSENT = ("AWS::SageMaker::", "AWS::ApplicationAutoScaling::")
IMAGES, ENDPOINT = "preheat-ocr-dev-images", "preheat-ocr-dev-endpoint"
ZIP = b"PK\x05\x06" + bytes(18)


@pytest.fixture
def deployer(account: Account) -> Account:
    """The account with the keys of somebody who may do what the deploy role may."""
    account.trust_github()
    account.bootstrap(repository="acme/models", environment="prod")
    # MiniStack has no TLS, without which the bucket answers nobody.
    account.session.client("s3").delete_bucket_policy(Bucket=account.default_bucket)
    return account.seen_with(account.as_deployer())


def images_stack(deployer: Account, *, keep: int = 10) -> Stack:
    template = images_template_of("ocr", "dev", Options(keep_releases=keep))
    return deployer.stacks.deploy(IMAGES, template, parameters={}, tags=TAGS, report=quiet)


def test_the_deployer_makes_fills_changes_and_removes_the_repository_of_images(
    account: Account, deployer: Account
) -> None:
    repository = images_stack(deployer).outputs["Repository"]
    assert repository == "preheat/ocr/dev"
    ecr = deployer.session.client("ecr")
    assert ecr.get_authorization_token()["authorizationData"]
    manifest = json.dumps({"schemaVersion": 2, "layers": []})
    pushed = ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag="1")["image"]
    (found,) = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "1"}])["images"]
    assert found["imageId"]["imageDigest"] == pushed["imageId"]["imageDigest"]
    images_stack(deployer, keep=3)
    policy = ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"]
    assert json.loads(policy)["rules"][0]["selection"]["countNumber"] == 3 + SPARE_IMAGES
    deployer.stacks.delete(IMAGES, report=quiet)
    assert account.session.client("ecr").describe_repositories()["repositories"] == []


def test_the_images_of_others_are_refused(account: Account, deployer: Account) -> None:
    account.session.client("ecr").create_repository(repositoryName="shop")
    ecr = deployer.session.client("ecr")
    manifest = json.dumps({"schemaVersion": 2, "layers": []})
    for call in (
        lambda: ecr.put_image(repositoryName="shop", imageManifest=manifest, imageTag="1"),
        lambda: ecr.delete_repository(repositoryName="shop", force=True),
        lambda: ecr.create_repository(repositoryName="shop-2"),
    ):
        with pytest.raises(ecr.exceptions.ClientError, match="AccessDenied"):
            call()


def test_the_deployer_applies_what_stands_around_an_endpoint(account: Account, deployer: Account) -> None:
    front = deployer.session.client("s3")
    front.put_object(Bucket=account.default_bucket, Key=sagemaker_templates.FRONT, Body=ZIP)
    options = Options(notify=True)
    made = sagemaker_templates.template(sagemaker_templates.UPLOAD, options=options)
    template = without(made, ABSENT)
    parameters = {"ArtifactBucket": account.default_bucket, "TokenSha256": "ab" * 32}
    stack = deployer.stacks.deploy(ENDPOINT, template, parameters=parameters, tags=TAGS, report=quiet)
    assert stack.outputs["Endpoint"].startswith("http")
    topics = deployer.client("sns")
    (topic, _) = [each["TopicArn"] for each in account.client("sns").list_topics()["Topics"]]
    assert topics.get_topic_attributes(TopicArn=topic)["Attributes"]["TopicArn"] == topic
    with pytest.raises(topics.exceptions.ClientError, match="AuthorizationError"):
        topics.create_topic(Name="orders")
    deployer.stacks.delete(ENDPOINT, report=quiet)
    assert account.client("sns").list_topics()["Topics"] == []


def without(template: Mapping[str, Any], kinds: tuple[str, ...]) -> dict[str, Any]:
    """The template without resources of those kinds, and without what refers to them."""
    resources = dict(template["Resources"])
    gone = {name for name, each in resources.items() if each["Type"].startswith(kinds)}
    gone |= {name for name, each in resources.items() if _refers(each, gone)}
    kept = {name: each for name, each in resources.items() if name not in gone}
    outputs = {name: each for name, each in template["Outputs"].items() if not _refers(each, gone)}
    return {**template, "Resources": kept, "Outputs": outputs}


def _refers(value: object, names: set[str]) -> bool:
    text = json.dumps(value)
    return any(f'"{name}"' in text for name in names)


def asked() -> list[Request]:
    return [each for variant in sagemaker_templates.variants() for each in requests_of(variant.template())]


def test_cloudformation_is_let_in_wherever_it_asks_of_sagemaker_and_scaling() -> None:
    requests = asked()
    refused = [each for each, fine in zip(requests, verdicts(deploying(), requests), strict=True) if not fine]
    assert requests
    assert refused == []


def test_it_is_refused_what_is_not_of_a_deploy() -> None:
    others: list[Request] = [
        ("sagemaker:CreateModel", MODEL, {}),
        ("sagemaker:AddTags", MODEL, {"aws:RequestTag/preheat:name": "ocr"}),
        ("sagemaker:DeleteModel", MODEL, {"aws:ResourceTag/team": "fraud"}),
        ("sagemaker:DeleteEndpointConfig", CONFIG, {}),
        ("sagemaker:UpdateEndpoint", CONFIG, {}),
        ("sagemaker:DeleteEndpoint", here("sagemaker", "endpoint/fraud"), {}),
        ("sagemaker:CreateTrainingJob", here("sagemaker", "training-job/preheat-a"), {}),
        (
            "application-autoscaling:DeregisterScalableTarget",
            here("application-autoscaling", "scalable-target/*"),
            {"application-autoscaling:service-namespace": "ecs"},
        ),
        ("iam:CreateOpenIDConnectProvider", "arn:aws:iam::123456789012:oidc-provider/evil.example", {}),
    ]
    allowed = [each for each, fine in zip(others, verdicts(deploying(), others), strict=True) if fine]
    assert allowed == []


def within() -> Iterator[Request]:
    for action, resource, known in granted():
        yield action, resource, {**known, "aws:ResourceAccount": "123456789012"}


def test_the_boundary_holds_what_templates_give_as_ministack_reads_it() -> None:
    requests = sorted(within(), key=str)
    boundary: list[Policy] = [bounding()]
    outside = [each for each, fine in zip(requests, verdicts(boundary, requests), strict=True) if not fine]
    assert requests
    assert outside == []
