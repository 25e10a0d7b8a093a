"""The AWS account that the shell leads to: which region a function is in, and what is deployed there."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from preheat.progress import Report
from preheat.provider.protocol import Bootstrapped, Groundwork
from preheat.provider.tokens import PendingToken
from preheat_providers._aws.regions import region_in
from preheat_providers._aws.session import Session
from preheat_providers._aws.stacks import Stacks
from preheat_providers._aws.templates.names import NAME_TAG, STAGE_TAG


class Shell:
    """What `provider` knows of the account. `called` gives the name of the stack of a function and stage.

    A function that is only called by its name is looked for in the region that its project names, if
    this process has read it or it is in the current folder, and else in that of the environment.
    """

    def __init__(
        self,
        provider: str,
        called: Callable[[str, str], str],
        *,
        environment: Mapping[str, str],
        home: Callable[[], Path],
        folder: Callable[[], Path],
        sleep: Callable[[float], None],
    ) -> None:
        self._provider = provider
        self._called = called
        self._environment = environment
        self._home = home
        self._folder = folder
        self._sleep = sleep
        self._sessions: dict[str | None, Session] = {}
        self._regions: dict[str, str | None] = {}

    def remember(self, name: str, stage: str, region: str | None) -> None:
        """Remember which region the project of a function names."""
        self._regions[self._called(name, stage)] = region

    def session(self, region: str | None) -> Session:
        """Return the session of a region, None for that of the environment; the same one each time."""
        return self._sessions.setdefault(region, Session(region, self._environment))

    def session_of(self, name: str | None, stage: str | None) -> Session:
        """Return the session of the region of a function."""
        if name and stage and (known := self._called(name, stage)) in self._regions:
            return self.session(self._regions[known])
        return self.session(region_in(self._folder(), self._provider, name, stage))

    def priced(self, region: str | None) -> str | None:
        """Return the region whose prices count where a project names `region`."""
        return region or self._environment.get("AWS_REGION") or self._environment.get("AWS_DEFAULT_REGION")

    def deployed(self, name: str | None, stage: str | None) -> tuple[tuple[str, str], ...]:
        """Return name and stage of every function that matches, in order. Raises ProviderError."""
        return tuple(sorted(self._deployed(name, stage)))

    def token(self, session: Session, stack: str) -> PendingToken:
        """Return where the token of a stack waits to be shown."""
        account = session.account()
        folder = self._home() / self._provider / "tokens"
        return PendingToken(folder, f"{account.id}-{account.region}-{stack}")

    def bootstrap(self, groundwork: Groundwork, *, report: Report) -> Bootstrapped:
        """Set up the artifact bucket, and who may deploy, in the account and its region."""
        from preheat_providers._aws.bootstrap.account import set_up

        session = self.session(groundwork.region)
        return set_up(self._provider, groundwork, session, self._stacks(session), report=report)

    def _stacks(self, session: Session) -> Stacks:
        return Stacks(session.client("cloudformation"), sleep=self._sleep)

    def _deployed(self, name: str | None, stage: str | None) -> Iterator[tuple[str, str]]:
        asked = {NAME_TAG: name, STAGE_TAG: stage}
        tags = {tag: value for tag, value in asked.items() if value is not None}
        for stack in self._stacks(self.session_of(name, stage)).listed(tags):
            tagged = stack.tags.get(NAME_TAG), stack.tags.get(STAGE_TAG)
            # Stacks of other providers carry these tags too.
            if tagged[0] and tagged[1] and stack.name == self._called(tagged[0], tagged[1]):
                yield tagged[0], tagged[1]
