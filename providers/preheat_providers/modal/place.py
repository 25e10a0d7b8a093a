"""One function and stage on Modal, and what is there of it. Asks Modal."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from preheat.errors import Conflict, NotDeployed
from preheat.provider.protocol import Deployment
from preheat_providers.modal.app.file import CLASS, WEB
from preheat_providers.modal.app.functions import RECEIVER
from preheat_providers.modal.client import Client
from preheat_providers.modal.errors import translated
from preheat_providers.modal.names import app_name, own_volume
from preheat_providers.modal.operating.apps import App, find_app
from preheat_providers.modal.release import FOLDER, Record, digest_of, number_of, read_record
from preheat_providers.modal.shipped.settings import PROVIDER
from preheat_providers.modal.volume import Data


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one function and stage is, or would be; an empty `environment` is the workspace's own."""

    client: Client
    environment: str
    name: str
    stage: str

    @property
    def app(self) -> str:
        """What the app is called."""
        return app_name(self.name, self.stage)

    @cached_property
    def data(self) -> Data:
        """The app's Volume."""
        return Data(self.client, own_volume(self.app), self.environment)

    def live(self) -> "Live | None":
        """Return what is deployed, or None. Raises ProviderError, and Conflict if it is somebody else's."""
        live = live_app(self.client, self.app, self.environment)
        if live is None or live.record is None:
            return live
        owner = (live.record.name, live.record.stage)
        if owner == (self.name, self.stage):
            return live
        raise Conflict(
            f"The app {self.app} belongs to {owner[0]} at stage {owner[1]}, and {self.name} at stage "
            f"{self.stage} would have the same name.",
            hint='name = "another-name"  # in preheat.toml',
        )

    def require(self) -> "Live":
        """Return what is deployed. Raises NotDeployed."""
        found = self.live()
        if found is None:
            raise self.missing()
        return found

    def endpoint(self) -> str:
        """Return the address of the web endpoint."""
        method = getattr(self.model(), WEB)
        with translated(f"the endpoint of {self.app} cannot be looked for"):
            return str(method.get_web_url()).rstrip("/")

    def receiver(self) -> str:
        """Return the address where the app is told of uploads."""
        own = self.client.modal
        from modal import Function

        named = Function.from_name(self.app, RECEIVER, environment_name=self.environment or None, client=own)
        with translated(f"the endpoint of {self.app} for uploads cannot be looked for"):
            return str(named.get_web_url())

    def model(self) -> "object":
        """Return the deployed class as Modal's client calls it; nothing is asked of Modal for it."""
        own = self.client.modal
        from modal import Cls

        model: object = Cls.from_name(
            self.app, CLASS, environment_name=self.environment or None, client=own
        )()
        return model

    def missing(self) -> NotDeployed:
        """Return the error that nothing is deployed here."""
        where = f" in the environment {self.environment!r}" if self.environment else ""
        return NotDeployed(
            f"{self.name!r} is not deployed at stage {self.stage!r} on Modal{where}.",
            hint="preheat status --provider modal",
        )


@dataclass(frozen=True, kw_only=True)
class Live:
    """A deployed app, and where the records of its releases are: path and bundle's digest by tag."""

    app: App
    data: Data
    paths: Mapping[str, tuple[str, str]]

    @property
    def number(self) -> int:
        """The release that runs, or 0 where somebody else has deployed the app."""
        return number_of(self.app.tag) or 0

    @property
    def digest(self) -> str:
        """The digest of the bundle that runs; empty where nobody wrote it down."""
        return self.paths.get(self.app.tag, ("", ""))[1]

    @cached_property
    def record(self) -> Record | None:
        """What the release that runs was made of, if that was written down."""
        path, _ = self.paths.get(self.app.tag, (None, ""))
        return read_record(self.data.read(path)) if path is not None else None


def live_app(client: Client, name: str, environment: str) -> Live | None:
    """Return the app called `name`, or None if it is not deployed. Raises ProviderError."""
    app = find_app(client, name, environment)
    if app is None:
        return None
    data = Data(client, own_volume(name), environment)
    paths = {}
    for path in data.files(FOLDER):
        found = digest_of(path)
        if found is not None:
            paths[found[0]] = (path, found[1])
    return Live(app=app, data=data, paths=paths)


def deployment_of(
    place: Place, live: Live, *, changed: bool, token: str | None = None, notes: tuple[str, ...] = ()
) -> Deployment:
    """Return what is live as a deployment."""
    return Deployment(
        name=place.name,
        provider=PROVIDER,
        stage=place.stage,
        release=live.number,
        digest=live.digest,
        endpoint=place.endpoint(),
        changed=changed,
        token=token,
        notes=notes,
    )
