"""What a template is made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from preheat.project.model import ObjectCreated, Project
from preheat_providers.sagemaker.instances import Instance
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.names import endpoint_name, job_prefix

T = TypeVar("T")
FrontName = Literal["jobs", "requests", "uploads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One function of one project.

    `image` is the digest of the image in the repository of the project, `digest` the bundle's. `instance`
    is None for a serverless endpoint; `ami` is what the machines run, None where SageMaker chooses.
    `concurrent` is how many requests one instance takes at once, None to leave it to SageMaker. `weights`
    is the digest of the weights' layer where SageMaker fetches it. `volume_gb` is how large the disk is to
    be, None for what the machine has. `environment` holds variables that the container brings; secrets are
    added here, and `secrets_mark` changes with the value of any.

    `front` is the key of the archive with the small functions in the artifact bucket: `jobs` answers HTTPS
    before an asynchronous endpoint and `requests` before the others, `uploads` passes uploaded objects on.
    """

    project: Project
    options: Options
    image: str
    digest: str
    front: str
    instance: Instance | None = None
    ami: str | None = None
    concurrent: int | None = None
    weights: str | None = None
    volume_gb: int | None = None
    environment: Mapping[str, str]
    secrets_mark: str | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return endpoint_name(self.project.name, self.project.stage)

    @property
    def is_async(self) -> bool:
        """Whether requests wait in a queue of SageMaker."""
        return self.options.mode == "async"

    @property
    def door(self) -> FrontName:
        """The name of the function that answers HTTPS."""
        return "jobs" if self.is_async else "requests"

    @property
    def token(self) -> bool:
        """Whether the front asks for a bearer token."""
        return self.options.auth is None and self.project.http.auth == "token"

    @property
    def uploads(self) -> tuple[ObjectCreated, ...]:
        """The triggers on uploads."""
        return tuple(self._triggers(ObjectCreated))

    @property
    def own_bucket(self) -> bool:
        """Whether the stack has the bucket of jobs."""
        return self.options.output_bucket is None

    @property
    def prefix(self) -> str:
        """What the keys of jobs begin with."""
        return job_prefix(self.project.name, self.project.stage, own_bucket=self.own_bucket)

    @property
    def floor(self) -> int:
        """How many instances run at least, outside the hours of a schedule."""
        return max(self.project.scaling.min, self.project.scaling.warm)

    @property
    def ceiling(self) -> int:
        """How many instances run at most."""
        return max(1, self.floor, self.project.scaling.max)

    def _triggers(self, kind: type[T]) -> Iterator[T]:
        return (trigger for trigger in self.project.triggers if isinstance(trigger, kind))
