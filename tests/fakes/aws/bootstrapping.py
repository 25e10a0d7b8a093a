"""An AWS account on the loopback, with real boto3, and `preheat bootstrap` on it."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import boto3
import pytest

from preheat.errors import PreheatError
from preheat.progress import Report, quiet
from preheat.provider.protocol import Bootstrapped, Groundwork
from preheat_providers._aws.bootstrap.account import Applying, set_up
from preheat_providers._aws.session import Session
from preheat_providers._aws.stacks import Stack, Stacks

REGION = "eu-central-1"


class Account:
    """The account `id`, seen from one region. MiniStack takes twelve digits as the key of its root."""

    def __init__(
        self, endpoint: str, id: str, region: str = REGION, environ: Mapping[str, str] | None = None
    ) -> None:
        self.endpoint, self.id, self.region = endpoint, id, region
        self.environ = environ or self._keys(id, "test")
        self.session = Session(environ=self.environ)
        self.stacks = Stacks(self.session.client("cloudformation"), sleep=lambda _seconds: None)

    def _keys(self, key: str, secret: str) -> Mapping[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def seen_with(self, environ: Mapping[str, str]) -> "Account":
        """Return the same account, seen with other keys."""
        return Account(self.endpoint, self.id, self.region, environ)

    def as_deployer(self, *, without: str | None = None) -> Mapping[str, str]:
        """Return the environment of a user with the policies of the deploy role, but for one action.

        The role itself wants a token of GitHub's, which only GitHub can sign.
        """
        iam = self.session.client("iam")
        role = f"preheat-deploy-{self.region}"
        policy: Any = iam.get_role_policy(RoleName=role, PolicyName="deploy")["PolicyDocument"]
        for statement in policy["Statement"]:
            actions = statement["Action"]
            listed = [actions] if isinstance(actions, str) else actions
            statement["Action"] = [each for each in listed if each != without] or ["sts:GetCallerIdentity"]
        user = f"deployer-{uuid4().hex}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="deploy", PolicyDocument=json.dumps(policy))
        for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.attach_user_policy(UserName=user, PolicyArn=attached["PolicyArn"])
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return self._keys(key["AccessKeyId"], key["SecretAccessKey"])

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self.endpoint.rpartition(":")[2])

    def client(self, service: str) -> Any:
        """Return a client of any service, also of one that preheat itself has no use for."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environ["AWS_SECRET_ACCESS_KEY"],
        )

    @property
    def default_bucket(self) -> str:
        """What the stack calls its bucket."""
        return f"preheat-{self.id}-{self.region}"

    def elsewhere(self, region: str) -> "Account":
        """Return the same account, seen from another region."""
        return Account(self.endpoint, self.id, region)

    def bootstrap(
        self,
        *,
        bucket: str | None = None,
        repository: str | None = None,
        environment: str | None = None,
        stacks: Applying | None = None,
    ) -> Bootstrapped:
        """Set up what is asked for, in `stacks` or for real."""
        groundwork = Groundwork(bucket=bucket, repository=repository, environment=environment)
        return set_up("aws_lambda", groundwork, self.session, stacks or self.stacks, report=quiet)

    def refusal(self, *, bucket: str | None = None) -> PreheatError:
        """Return the error that this ends with."""
        with pytest.raises(PreheatError) as refused:
            self.bootstrap(bucket=bucket)
        return refused.value

    def make_bucket(self, name: str) -> None:
        """Make a bucket that no stack knows of."""
        self.session.client("s3").create_bucket(
            Bucket=name,
            CreateBucketConfiguration={"LocationConstraint": self.region},  # type: ignore[typeddict-item]
        )

    def trust_github(self) -> str:
        """Make the OIDC provider for GitHub, of which an account has one, and return its ARN."""
        made = self.session.client("iam").create_open_id_connect_provider(
            Url="https://token.actions.githubusercontent.com",
            ClientIDList=["sts.amazonaws.com"],
            ThumbprintList=["0" * 40],
        )
        return made["OpenIDConnectProviderArn"]


class RememberedStacks:
    """Stacks that always succeed, in memory. `asked` is what each deploy was given as parameters."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, str | None]] = []
        self._stack: Stack | None = None

    def find(self, name: str) -> Stack | None:
        return self._stack

    def deploy(
        self,
        name: str,
        template: Mapping[str, Any],
        *,
        parameters: Mapping[str, str | None],
        tags: Mapping[str, str],
        report: Report,
    ) -> Stack:
        self.asked.append(parameters)
        before = self._stack.parameters if self._stack is not None else {}
        values = {key: before[key] if value is None else value for key, value in parameters.items()}
        self._stack = Stack(
            name=name,
            id=name,
            status="UPDATE_COMPLETE",
            reason=None,
            template=template,
            parameters=values,
            outputs={"ArtifactBucket": "b", "Boundary": "p", "DeployRole": "r"},
            tags=tags,
        )
        return self._stack
