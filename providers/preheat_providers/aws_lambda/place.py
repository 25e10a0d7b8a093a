"""One function and stage in one account and region, and what is there of it. Reads AWS."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from preheat.errors import NotDeployed
from preheat.provider.protocol import Deployment
from preheat_providers._aws.errors import translated
from preheat_providers._aws.ownership import owned
from preheat_providers._aws.session import Session
from preheat_providers._aws.stacks import Stack, Stacks
from preheat_providers._aws.stacks.model import INVALID
from preheat_providers.aws_lambda.operating.alias import Alias, read_alias
from preheat_providers.aws_lambda.operating.releases import Version, list_versions
from preheat_providers.aws_lambda.shipped.settings import Settings
from preheat_providers.aws_lambda.target import NAME
from preheat_providers.aws_lambda.template.names import (
    ALIAS,
    image_stack_name,
    log_group,
    object_prefix,
    repository_name,
    stack_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A function that is deployed: its stack, where its traffic goes, and its versions, newest first."""

    stack: Stack
    alias: Alias
    versions: tuple[Version, ...]

    @property
    def active(self) -> Version:
        """The version that answers."""
        return next(version for version in self.versions if version.number == self.alias.version)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all versions, newest first."""
        return tuple(version.number for version in self.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one function and stage is, or would be."""

    session: Session
    name: str
    stage: str
    sleep: Callable[[float], None] = time.sleep

    @property
    def function(self) -> str:
        """What the function and its stack are called."""
        return stack_name(self.name, self.stage)

    @property
    def image_stack_name(self) -> str:
        """What the stack of the image repository is called."""
        return image_stack_name(self.name, self.stage)

    @property
    def repository(self) -> str:
        """Where its images lie in ECR."""
        return repository_name(self.name, self.stage)

    @property
    def group(self) -> str:
        """The log group."""
        return log_group(self.name, self.stage)

    @property
    def folder(self) -> str:
        """What the keys of its objects in the artifact bucket begin with."""
        return object_prefix(self.name, self.stage)

    @property
    def stacks(self) -> Stacks:
        """The stacks of this region."""
        return Stacks(self.session.client("cloudformation"), sleep=self.sleep)

    def stack(self) -> Stack | None:
        """Return the function's stack in whatever state. Raises Conflict if it is somebody else's."""
        return owned(self.stacks.find(self.function), self.name, self.stage, region=self.session.region)

    def image_stack(self) -> Stack | None:
        """Return the stack of the images. Raises Conflict if it is somebody else's."""
        return owned(
            self.stacks.find(self.image_stack_name), self.name, self.stage, region=self.session.region
        )

    def live(self) -> Live | None:
        """Return what is deployed, or None if no deploy has ever finished. Raises ProviderError."""
        stack = self.stack()
        if stack is None or stack.status in INVALID:
            return None
        client = self.session.client("lambda")
        alias = read_alias(client, self.function)
        if alias is None:
            return None
        return Live(stack=stack, alias=alias, versions=list_versions(client, self.function))

    def require(self) -> Live:
        """Return what is deployed. Raises NotDeployed."""
        found = self.live()
        if found is None:
            raise self.missing()
        return found

    def settings(self) -> Settings:
        """Return what the deploy told the active version: its triggers, its table, its token's hash."""
        client = self.session.client("lambda")
        with translated(f"the settings of {self.function} cannot be read"):
            found = client.get_function_configuration(FunctionName=self.function, Qualifier=ALIAS)
        return Settings.read(found.get("Environment", {}).get("Variables", {}))

    def missing(self) -> NotDeployed:
        """Return the error that nothing is deployed here."""
        return NotDeployed(
            f"{self.name!r} is not deployed at stage {self.stage!r} in {self.session.region}.",
            hint="preheat status --provider lambda  # what is; for another region: export AWS_REGION=...",
        )


def deployment_of(place: Place, live: Live, *, changed: bool, token: str | None = None) -> Deployment:
    """Return what is live as a deployment."""
    alias = live.alias
    split = f"Release {alias.canary} gets {alias.share:.0%} of the traffic."
    return Deployment(
        name=place.name,
        provider=NAME,
        stage=place.stage,
        release=alias.version,
        digest=live.active.described.digest,
        endpoint=live.stack.outputs["Endpoint"],
        changed=changed,
        token=token,
        notes=(split,) if alias.canary is not None else (),
    )
