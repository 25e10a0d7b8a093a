"""Apps as Modal has them: found, with their history; rolled back, stopped, listed. Asks Modal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from preheat_providers.modal.client import Client
from preheat_providers.modal.release import number_of

DEPLOYED = 3
"""APP_STATE_DEPLOYED of Modal's protocol."""
LONGEST_CHAIN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One deployment as Modal counts: `again` is the version that a rollback brought back, or 0."""

    number: int
    tag: str
    at: float
    again: int = 0

    @property
    def created(self) -> str:
        """When it was, RFC 3339 UTC."""
        return datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A deployed app, its versions newest first, and the one that runs."""

    id: str
    name: str
    environment: str
    versions: tuple[Version, ...]
    running: int

    @property
    def tag(self) -> str:
        """The tag of what runs, wherever a rollback took it from."""
        return self.tag_of(self.running)

    def tag_of(self, number: int) -> str:
        """Return the tag under which version `number` was deployed first."""
        known = {version.number: version for version in self.versions}
        for _ in range(LONGEST_CHAIN):
            version = known.get(number)
            if version is None or not version.again:
                break
            number = version.again
        return known[number].tag if number in known else ""

    def version_of(self, release: int) -> int | None:
        """Return the version that the release with this number was deployed as, the newest of several."""
        mine = (each for each in self.versions if not each.again and number_of(each.tag) == release)
        return next((each.number for each in mine), None)

    @property
    def number_before(self) -> int | None:
        """The number of the release that ran until the one that runs did, or None."""
        earlier = (self.tag_of(version.number) for version in self.versions if version.number < self.running)
        return next((number_of(tag) for tag in earlier if tag != self.tag), None)

    @property
    def last_number(self) -> int:
        """The number of the newest release, or 0."""
        return max((number_of(version.tag) or 0 for version in self.versions), default=0)


def find_app(client: Client, name: str, environment: str) -> App | None:
    """Return the app that is deployed under `name`. Raises ProviderError."""
    what = f"{name} cannot be looked for"
    found = client.ask("AppGetByDeploymentName", what=what, name=name, environment_name=environment)
    if not found.app_id:
        return None
    history = client.ask(
        "AppDeploymentHistory", what=f"the history of {name} cannot be read", app_id=found.app_id
    )
    versions = tuple(
        sorted(
            (
                Version(number=each.version, tag=each.tag, at=each.deployed_at, again=each.rollback_version)
                for each in history.app_deployment_histories
            ),
            key=lambda version: -version.number,
        )
    )
    if not versions:
        return None
    # Only clients since 1.6 are told which version runs; before, nothing could be deployed and not run.
    running = getattr(history, "production_app_version", 0) or versions[0].number
    return App(
        id=found.app_id,
        name=name,
        environment=found.environment_name or environment,
        versions=versions,
        running=running,
    )


def list_apps(client: Client, environment: str) -> Iterator[str]:
    """Yield the names of the deployed apps of an environment."""
    found = client.ask("AppList", what="the apps cannot be listed", environment_name=environment)
    for each in found.apps:
        if each.state == DEPLOYED:
            yield each.name or each.description


def list_environments(client: Client) -> tuple[str, ...]:
    """Return the names of the workspace's environments."""
    from google.protobuf.empty_pb2 import Empty

    found = client.send("EnvironmentList", Empty(), what="the environments cannot be listed")
    return tuple(each.name for each in found.items)


def roll_back(client: Client, app: App, version: int) -> None:
    """Deploy version `version` of `app` once more, as a new version. Raises ProviderError."""
    what = f"{app.name} cannot go back to its version {version}"
    client.ask("AppRollback", what=what, app_id=app.id, version=version)


def stop_app(client: Client, app: App) -> None:
    """End the app and its containers. Raises ProviderError."""
    what = f"{app.name} cannot be stopped"
    client.ask("AppStop", what=what, app_id=app.id, source="APP_STOP_SOURCE_CLI")
