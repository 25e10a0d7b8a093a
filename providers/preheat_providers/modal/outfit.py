"""What a deploy of one bundle is made of, before anybody is asked. Reads the project's secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from preheat.bundle.model import Bundle
from preheat.errors import ProjectError
from preheat.plan.model import Resource
from preheat.project.model import ObjectCreated, Project
from preheat_providers.modal.app.making import app_spec
from preheat_providers.modal.app.spec import AppSpec
from preheat_providers.modal.observing import desired_resources
from preheat_providers.modal.options import Options
from preheat_providers.modal.secrets import own_mark
from preheat_providers.modal.shipped.uploads.credentials import KEYS
from preheat_providers.modal.uploads.stack import wanted_stack

UNNUMBERED = "0"


@dataclass(frozen=True, kw_only=True)
class Outfit:
    """A project, its bundle, and its options."""

    project: Project
    bundle: Bundle
    options: Options
    environment: Mapping[str, str]

    @property
    def place(self) -> str:
        """Modal's environment as preheat.toml names it, or empty."""
        return self.options.environment or ""

    @property
    def uploads(self) -> tuple[ObjectCreated, ...]:
        """The triggers that run on uploads."""
        return tuple(each for each in self.project.triggers if isinstance(each, ObjectCreated))

    @property
    def told(self) -> tuple[ObjectCreated, ...]:
        """Those of them that a stack on AWS tells the app of; none where the app asks a queue."""
        return self.uploads if self.options.upload_queue is None else ()

    @cached_property
    def secrets_mark(self) -> str | None:
        """What changes with the values of its secrets. Raises ProviderError for one that has none."""
        return own_mark(self.project, self.environment)

    def spec(
        self, *, release: str = UNNUMBERED, token_sha256: str | None = None, uploads_sha256: str | None = None
    ) -> AppSpec:
        """Return the app; a release, a token and a key are known only when it is deployed.

        Raises ProviderError for a secret without a value, and where a handler that was not run leaves
        something open.
        """
        return app_spec(
            self.project,
            self.options,
            self.bundle,
            release=release,
            token_sha256=token_sha256,
            uploads_sha256=uploads_sha256 or "",
            secrets_mark=self.secrets_mark,
        )

    def resources(self) -> tuple[Resource, ...]:
        """Return what the plan compares. Raises what `spec` does, and ProjectError where containers could
        not read what is uploaded.
        """
        self._check()
        own = desired_resources(self.spec(), self.bundle, self.place)
        boundary = self.options.permissions_boundary
        return (*own, *wanted_stack(self.project.name, self.project.stage, self.told, boundary=boundary))

    def _check(self) -> None:
        signs_in = self.options.upload_role is not None or set(KEYS) <= {*self.project.secrets}
        if self.uploads and not signs_in:
            raise ProjectError(
                f"{self.project.name} runs on uploads, and its containers could not read them: they have no "
                "role and no keys of AWS.",
                hint='upload_role = "arn:aws:iam::ACCOUNT:role/NAME"  # in [provider.modal], or '
                f"{' and '.join(KEYS)} in [secrets]",
            )
