"""What a template is made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from preheat.project.model import ObjectCreated, Project, QueueTrigger, Schedule
from preheat_providers.aws_lambda.limits import TIMEOUT_S
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.target import ArchiveName
from preheat_providers.aws_lambda.template.names import stack_name

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One function of one project.

    `keys` says where in the artifact bucket each archive lies; a function of an `image`
    (`REPOSITORY@DIGEST`) has none. `digest` is the bundle's. `environment`
    holds variables that the target brings; those for secrets and resources are made here.
    `secrets_mark` changes with the value of any secret.
    """

    project: Project
    options: Options
    keys: Mapping[ArchiveName, str]
    digest: str
    environment: Mapping[str, str]
    image: str | None = None
    secrets_mark: str | None = None

    @property
    def function(self) -> str:
        """The function's name, which is the stack's."""
        return stack_name(self.project.name, self.project.stage)

    @property
    def code(self) -> str:
        """Where the function's own code lies: its archive, or its image."""
        return self.image or self.keys["function"]

    @property
    def timeout_s(self) -> int:
        """When Lambda ends the process: a second later than the request, so that its own 504 leaves first."""
        return min(TIMEOUT_S[1], ceil(self.project.resources.timeout_s) + 1)

    @property
    def token(self) -> bool:
        """Whether the function itself asks for a bearer token."""
        return self.options.auth is None and self.project.http.auth == "token"

    @property
    def uploads(self) -> tuple[ObjectCreated, ...]:
        """The triggers on uploads."""
        return tuple(self._triggers(ObjectCreated))

    @property
    def queues(self) -> tuple[QueueTrigger, ...]:
        """The triggers on queues that exist."""
        return tuple(self._triggers(QueueTrigger))

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """The triggers on times."""
        return tuple(self._triggers(Schedule))

    @property
    def has_table(self) -> bool:
        """Whether something has to be remembered: what ran, and what became of jobs."""
        return bool(self.uploads or self.queues or self.schedules or self.options.jobs)

    @property
    def has_unattended_calls(self) -> bool:
        """Whether there are asynchronous calls, after which nobody waits."""
        return bool(self.schedules or self.options.jobs)

    def _triggers(self, kind: type[T]) -> Iterator[T]:
        return (trigger for trigger in self.project.triggers if isinstance(trigger, kind))
