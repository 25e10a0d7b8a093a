"""One function and stage in one account and region, and what is there of it. Reads AWS."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from preheat.errors import NotDeployed, ProviderError
from preheat.provider.protocol import Deployment
from preheat_providers._aws.errors import translated
from preheat_providers._aws.ownership import owned
from preheat_providers._aws.parameters import artifact_bucket
from preheat_providers._aws.session import Session
from preheat_providers._aws.stacks import Stack, Stacks
from preheat_providers._aws.stacks.model import INVALID
from preheat_providers.sagemaker.operating.releases import ReleaseBook, Released, digest_in
from preheat_providers.sagemaker.shipped.settings import PROVIDER
from preheat_providers.sagemaker.template.endpoint import UPDATE_S
from preheat_providers.sagemaker.template.names import (
    default_bucket,
    endpoint_name,
    front_log_group,
    image_stack_name,
    job_prefix,
    log_group,
    object_prefix,
    stack_name,
)
from preheat_providers.sagemaker.template.wanted import FrontName

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef

SETTLED = frozenset(("InService", "Failed", "OutOfService", "UpdateRollbackFailed"))
"""States of an endpoint in which nothing is under way."""
DELETED = "Deleted"
LONGEST_S = UPDATE_S + 3600.0
"""How long a stack is waited for: as long as its endpoint may take, and everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A function that is deployed: its stack, its endpoint as SageMaker describes it, its releases."""

    stack: Stack
    endpoint: "DescribeEndpointOutputTypeDef"
    releases: tuple[Released, ...]

    @property
    def config(self) -> str:
        """The endpoint config that answers."""
        return self.endpoint["EndpointConfigName"]

    @property
    def active(self) -> Released:
        """The release that answers. Raises ProviderError where somebody else has changed the endpoint."""
        found = next((each for each in self.releases if each.config == self.config), None)
        if found is None:
            raise ProviderError(
                f"The endpoint {self.endpoint['EndpointName']} runs {self.config}, which is not ours.",
                hint="preheat deploy --provider sagemaker  # gives it the newest release again",
            )
        return found

    @property
    def newest(self) -> Released:
        """The release that the stack made last."""
        return self.releases[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one function and stage is, or would be."""

    session: Session
    name: str
    stage: str
    sleep: Callable[[float], None] = time.sleep

    @property
    def endpoint(self) -> str:
        """What the endpoint is called."""
        return endpoint_name(self.name, self.stage)

    @property
    def stack_name(self) -> str:
        """What the stack is called."""
        return stack_name(self.name, self.stage)

    @property
    def image_stack_name(self) -> str:
        """What the stack of the image repository is called."""
        return image_stack_name(self.name, self.stage)

    @property
    def folder(self) -> str:
        """What the keys of its objects in the artifact bucket begin with."""
        return object_prefix(self.name, self.stage)

    @property
    def stacks(self) -> Stacks:
        """The stacks of this region."""
        return self.stacks_by(self.sleep)

    def stacks_by(self, sleep: Callable[[float], None]) -> Stacks:
        """Return the stacks of this region, which are waited for by `sleep`."""
        return Stacks(self.session.client("cloudformation"), sleep=sleep, longest_s=LONGEST_S)

    def stack(self) -> Stack | None:
        """Return the function's stack in whatever state. Raises Conflict if it is somebody else's."""
        return owned(self.stacks.find(self.stack_name), self.name, self.stage, region=self.session.region)

    def image_stack(self) -> Stack | None:
        """Return the stack of the images. Raises Conflict if it is somebody else's."""
        return owned(
            self.stacks.find(self.image_stack_name), self.name, self.stage, region=self.session.region
        )

    def describe(self) -> "DescribeEndpointOutputTypeDef | None":
        """Return the endpoint, None if there is none. Raises ProviderError."""
        client = self.session.client("sagemaker")
        with translated(f"the endpoint {self.endpoint} cannot be read"):
            try:
                return client.describe_endpoint(EndpointName=self.endpoint)
            except client.exceptions.ClientError as error:
                said = error.response["Error"]
                if said.get("Code") == "ValidationException" and "ould not find" in said.get("Message", ""):
                    return None
                raise

    def found(self) -> Live | None:
        """Return what is deployed, or None if no deploy has ever finished. Raises ProviderError.

        An endpoint that somebody deleted beside the stack is described as one in the state `Deleted`.
        """
        stack = self.stack()
        if stack is None or stack.status in INVALID:
            return None
        gone: Any = {
            "EndpointName": self.endpoint,
            "EndpointConfigName": stack.outputs["EndpointConfig"],
            "EndpointStatus": DELETED,
            "FailureReason": "somebody removed it beside its stack",
        }
        return Live(stack=stack, endpoint=self.describe() or gone, releases=self._releases(stack))

    def live(self) -> Live | None:
        """Return what is deployed and is there, or None. Raises ProviderError if its endpoint is not."""
        found = self.found()
        if found is not None and found.endpoint["EndpointStatus"] == DELETED:
            raise ProviderError(
                f"The stack {self.stack_name} has no endpoint {self.endpoint} any more: somebody deleted it.",
                hint=f"preheat destroy {self.name} --provider sagemaker  # then deploy again",
            )
        return found

    def require(self) -> Live:
        """Return what is deployed. Raises NotDeployed."""
        found = self.live()
        if found is None:
            raise self.missing()
        return found

    def book(self, stack: Stack | None) -> ReleaseBook:
        """Return where the releases are recorded."""
        return ReleaseBook(self.session.client("s3"), self.artifact_bucket(stack), self.folder)

    def artifact_bucket(self, stack: Stack | None) -> str:
        """Return the bucket for archives and records: the stack's, or the one of `preheat bootstrap`."""
        if (bucket := artifact_bucket(stack)) is not None:
            return bucket
        account = self.session.account()
        return default_bucket(account.id, account.region)

    def front_variables(self, stack: Stack) -> Mapping[str, str]:
        """Return the variables of the front: where jobs lie, the time limit, the token's hash."""
        client = self.session.client("lambda")
        with translated(f"the settings of {self.name} cannot be read"):
            found = client.get_function_configuration(FunctionName=stack.outputs["Front"])
        return found.get("Environment", {}).get("Variables", {})

    def log_groups(self, stack: Stack) -> tuple[str, ...]:
        """Return the log groups of the container and of the small functions."""
        return (
            log_group(self.name, self.stage),
            *(front_log_group(self.name, self.stage, each) for each in functions_in(stack.template)),
        )

    def job_prefix(self, stack: Stack) -> str:
        """Return what the keys of jobs begin with. Asks for what is left of a stack that is half deleted."""
        resources = stack.template["Resources"] if stack.template else self.stacks.resources(stack)
        return job_prefix(self.name, self.stage, own_bucket="Jobs" in resources)

    def missing(self) -> NotDeployed:
        """Return the error that nothing is deployed here."""
        return NotDeployed(
            f"{self.name!r} is not deployed at stage {self.stage!r} in {self.session.region}.",
            hint="preheat status --provider sagemaker  # or another region: export AWS_REGION=...",
        )

    def _releases(self, stack: Stack) -> tuple[Released, ...]:
        """Return the releases, newest first, with one that a killed deploy has made and not recorded."""
        known = self.book(stack).releases()
        config = stack.outputs["EndpointConfig"]
        if any(each.config == config for each in known):
            return known
        made = Released(
            number=known[0].number + 1 if known else 1,
            config=config,
            model=stack.outputs["Model"],
            digest=digest_in(stack.template),
        )
        return (made, *known)


def functions_in(template: Mapping[str, Any]) -> tuple[FrontName, ...]:
    """Return which of the small functions a stack has."""
    door: FrontName = "jobs" if "JobsBucket" in template["Outputs"] else "requests"
    return (door, "uploads") if "Uploads" in template["Resources"] else (door,)


def deployment_of(place: Place, live: Live, *, changed: bool, token: str | None = None) -> Deployment:
    """Return what is live as a deployment."""
    state = live.endpoint["EndpointStatus"]
    return Deployment(
        name=place.name,
        provider=PROVIDER,
        stage=place.stage,
        release=live.active.number,
        digest=live.active.digest,
        endpoint=live.stack.outputs["Endpoint"],
        changed=changed,
        token=token,
        notes=(f"The endpoint is {state}.",) if state != "InService" else (),
    )
