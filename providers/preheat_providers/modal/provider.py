"""Modal as a provider: one app for each function and stage, in an environment of the user's workspace."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from preheat.bundle.model import Bundle, Target
from preheat.errors import ProviderError
from preheat.findings import Finding
from preheat.interface.message import Request, Response
from preheat.plan.model import Cost, Plan, Resource
from preheat.progress import Report
from preheat.project.home import home as preheat_home
from preheat.project.model import Project
from preheat.project.secret_values import secret_findings
from preheat.provider.protocol import Capabilities, Deployment, Pool, Receipt, Release, Status, WarmPool
from preheat.provider.rehearsal import Rehearsal
from preheat.provider.tokens import PendingToken
from preheat.provider.warm_options import Demand, WarmOption
from preheat_providers._aws.session import Session
from preheat_providers.modal import warming
from preheat_providers.modal.app.file import app_text
from preheat_providers.modal.client import Client
from preheat_providers.modal.costs import costs_of
from preheat_providers.modal.deploying.deploy import Deploy
from preheat_providers.modal.limits import capabilities, project_findings
from preheat_providers.modal.names import PREFIX, app_name
from preheat_providers.modal.operating import destroying, invoking, warm
from preheat_providers.modal.operating.apps import list_apps, list_environments
from preheat_providers.modal.operating.logs import AppLog
from preheat_providers.modal.operating.releases import go_back, release_list
from preheat_providers.modal.operating.status import status_of
from preheat_providers.modal.options import SCHEMA, Options, read_options
from preheat_providers.modal.outfit import Outfit
from preheat_providers.modal.place import Live, Place, deployment_of, live_app
from preheat_providers.modal.rates import Rates, rates_of
from preheat_providers.modal.rehearsing import rehearsal_of
from preheat_providers.modal.release import Record
from preheat_providers.modal.secrets import own_secrets
from preheat_providers.modal.shipped.settings import PROVIDER
from preheat_providers.modal.target import target_of
from preheat_providers.modal.uploads.stack import KIND as STACK
from preheat_providers.modal.uploads.stack import UploadsStack
from preheat_providers.modal.uploads.telling import Telling

CAPABILITIES = Capabilities(
    triggers=frozenset({"http", "object-created", "schedule"}),
    auth=frozenset({"none", "token"}),
    gpu=True,
    streaming=True,
    jobs=True,
    scale_to_zero=True,
    snapshots=True,
    canary=False,
    **capabilities(),
)
TOKENS = "modal/tokens"
"""Where below `$PREHEAT_HOME` a token waits to be shown."""


def modal_provider() -> "ModalProvider":
    """Return the provider of the shell's Modal account: the entry point `modal`."""
    return ModalProvider()


class ModalProvider:
    """Implements preheat.provider.protocol.Provider, KeepsWarm, Rehearses and Warms.

    A function that is only called by its name is looked for in the environment that its project names, if
    that was read by this process, then in that of the shell, and then in the others.
    """

    name = PROVIDER
    capabilities = CAPABILITIES

    def __init__(
        self,
        client: Client | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
        home: Callable[[], Path] = preheat_home,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client or Client()
        self._environment = environment
        self._home = home
        self._sleep = sleep
        self._now = now
        self._environments: dict[str, str] = {}

    def options_schema(self) -> Mapping[str, Any]:
        """Return the JSON Schema of `[provider.modal]`."""
        return SCHEMA

    def check(self, project: Project) -> tuple[Finding, ...]:
        """Return what Modal cannot do, and the secrets that cannot be resolved."""
        return (
            *project_findings(project, _options(project)),
            *secret_findings(own_secrets(project), self._environment),
        )

    def rehearsal(self, bundle: Bundle, project: Project) -> Rehearsal:
        """Return how a container starts here, without Modal."""
        return rehearsal_of(bundle, project, self._environment)

    def target(self, project: Project) -> Target:
        """Return Modal's own machine."""
        return target_of(project)

    def desired(self, project: Project, bundle: Bundle) -> tuple[Resource, ...]:
        """Return the image, the Volume, the Secret, the class, the endpoint and the schedules."""
        return self._outfit(project, bundle).resources()

    def template(self, project: Project, bundle: Bundle) -> str:
        """Return the text of the app's file, as a first release would have it."""
        return app_text(self._outfit(project, bundle).spec())

    def costs(self, project: Project, bundle: Bundle) -> tuple[Cost, ...]:  # noqa: ARG002
        """Return what `project` costs at the account's rates, or at list prices without an account."""
        return costs_of(project, _options(project), self._rates)

    def warm_options(self, project: Project, demand: Demand) -> tuple[WarmOption, ...]:
        """Return windows, numbers of containers and buffers, at the account's rates or at list prices."""
        return tuple(warming.warm_options(project, _options(project), demand, self._rates))

    def warm_settings(self, project: Project, pool: Pool) -> Mapping[str, Any]:
        """Return a pool where the project has one."""
        return warming.warm_settings(_options(project), pool)

    def observe(self, name: str, stage: str) -> tuple[Resource, ...]:
        """Return what the release that runs has written down, and the stack of AWS as it is."""
        place = self._place(name, stage)
        live = place.live()
        record = live.record if live is not None else None
        if record is None:
            return ()
        stack = self._stack(place, record)
        own = (each for each in record.resources if each.kind != STACK)
        return (*own, *(stack.observed() if stack is not None else ()))

    def apply(self, plan: Plan, project: Project, bundle: Bundle, *, report: Report) -> Deployment:
        """Send what is missing, and deploy the app with Modal's own client."""
        place, outfit = self._place(project.name, project.stage), self._outfit(project, bundle)
        former = self._stack_of(place)
        telling = self._telling(place, outfit) if outfit.told else None
        deploy = Deploy(
            place=place,
            outfit=outfit,
            token=self._token(place),
            telling=telling,
            environ=self._environment,
            report=report,
        )
        deployed = deploy.run(plan)
        if former is not None and (telling is None or telling.stack.address != former.address):
            former.delete(report)
        return deployed

    def deployment(self, name: str, stage: str) -> Deployment:
        """Return what is deployed, with the token if a deploy that was killed has not shown it."""
        place = self._found(name, stage)
        live = place.require()
        token = self._token(place)
        known = live.record.token_sha256 if token.waits and live.record else None
        return deployment_of(place, live, changed=False, token=token.show(known) if known else None)

    def status(self, name: str | None, stage: str | None) -> tuple[Status, ...]:
        """Return every function that matches; requests only where one is asked for."""
        found = []
        for place, live in self._deployed(name, stage):
            log = self._log(live.app.id) if name is not None else None
            found.append(status_of(place, live, log))
        return tuple(sorted(found, key=lambda status: (status.name, status.stage)))

    def invoke(self, name: str, stage: str, request: Request) -> Response:
        """Send one request by Modal's own credentials, past the endpoint and its token."""
        return invoking.ask(self._found(name, stage), request)

    def submit(self, name: str, stage: str, request: Request) -> str:
        """Queue one request as a job."""
        return invoking.submit(self._found(name, stage), request)

    def logs(self, name: str, stage: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
        """Yield the events of the last day, and all that come if `follow`."""
        log = self._log(self._found(name, stage).require().app.id)
        yield from log.follow() if follow else log.recent()

    def releases(self, name: str, stage: str) -> tuple[Release, ...]:
        """Return the releases, newest first."""
        return release_list(self._found(name, stage).require())

    def rollback(self, name: str, stage: str, release: int | None) -> Deployment:
        """Make `release`, or the one before, run again, as Modal's own rollback does it."""
        place = self._found(name, stage)
        return deployment_of(place, go_back(place, release), changed=True)

    def promote(self, name: str, stage: str, *, canary: float | None) -> Deployment:
        """Make the newest release run. Raises ProviderError for a share: Modal splits no traffic."""
        if canary is not None:
            raise _one_version(stage)
        place = self._found(name, stage)
        newest = place.require().app.last_number
        return deployment_of(place, go_back(place, newest), changed=True)

    def firing(self, name: str, stage: str, alarms: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Refuse: there is no share of the traffic to watch, and Modal has no alarms."""
        raise _one_version(stage)

    def replay(self, name: str, stage: str) -> int:  # noqa: ARG002
        """Refuse: what failed is with whoever sent it."""
        raise ProviderError(
            "On Modal nothing repeats a delivery: those that failed for a day are in the queue of the stack.",
            hint="Upload the object again.",
        )

    def backfill(self, name: str, stage: str, source: str) -> int:  # noqa: ARG002
        """Refuse: the objects' bucket is not Modal's."""
        raise ProviderError(
            "On Modal uploads come from AWS, which tells of new objects alone.",
            hint=f"aws s3 cp --recursive {source} {source} --metadata-directive REPLACE  # copies in place",
        )

    def destroy(self, name: str, stage: str, *, report: Report) -> Receipt:
        """Remove the app, its Volume, its Secrets and the records of its jobs."""
        place = self._to_destroy(name, stage)
        receipt = destroying.destroy(place, self._stack_of(place), report)
        for pending in (self._token(place), self._key(place)):
            pending.forget()
        return receipt

    def warm_pool(self, name: str, stage: str) -> WarmPool:
        """Return how the function scales now."""
        return warm.pool_now(self._found(name, stage))

    def resize(self, name: str, stage: str, change: Pool) -> WarmPool:
        """Change how it scales, until the next deploy."""
        return warm.resize(self._found(name, stage), change)

    @cached_property
    def _rates(self) -> Rates:
        return rates_of(self._client)

    def _outfit(self, project: Project, bundle: Bundle) -> Outfit:
        options = _options(project)
        self._environments[app_name(project.name, project.stage)] = options.environment or ""
        return Outfit(project=project, bundle=bundle, options=options, environment=self._environment)

    def _place(self, name: str, stage: str) -> Place:
        known = self._environments.get(app_name(name, stage)) or self._client.environment
        return Place(client=self._client, environment=known, name=name, stage=stage)

    def _found(self, name: str, stage: str) -> Place:
        """Return where the function is, or else where it would be."""
        place = self._place(name, stage)
        if app_name(name, stage) in self._environments or place.live() is not None:
            return place
        return next((elsewhere for elsewhere, _ in self._deployed(name, stage)), place)

    def _to_destroy(self, name: str, stage: str) -> Place:
        """Return where the function is, or else where something of it was left."""
        place = self._found(name, stage)
        if place.live() is not None:
            return place
        others = (replace(place, environment=each) for each in list_environments(self._client))
        return next((each for each in (place, *others) if destroying.remains(each)), place)

    def _deployed(self, name: str | None, stage: str | None) -> Iterator[tuple[Place, Live]]:
        """Yield each function that matches, in whatever environment it is."""
        for environment in list_environments(self._client):
            for app in list_apps(self._client, environment):
                if not app.startswith(PREFIX if name is None else f"{PREFIX}{name}-"):
                    continue
                live = live_app(self._client, app, environment)
                record = live.record if live is not None else None
                if live is None or record is None:
                    continue
                if name in (None, record.name) and stage in (None, record.stage):
                    place = Place(
                        client=self._client, environment=environment, name=record.name, stage=record.stage
                    )
                    yield place, live

    def _token(self, place: Place) -> PendingToken:
        return PendingToken(self._home() / TOKENS, f"{place.environment}.{place.app}")

    def _key(self, place: Place) -> PendingToken:
        return PendingToken(self._home() / TOKENS, f"{place.environment}.{place.app}.uploads")

    def _telling(self, place: Place, outfit: Outfit) -> Telling:
        session = Session(outfit.options.aws_region, self._environment)
        stack = UploadsStack(session=session, name=place.name, stage=place.stage, sleep=self._sleep)
        return Telling(stack=stack, key=self._key(place))

    def _stack_of(self, place: Place) -> UploadsStack | None:
        live = place.live()
        return self._stack(place, live.record) if live is not None and live.record is not None else None

    def _stack(self, place: Place, record: Record) -> UploadsStack | None:
        if record.stack is None:
            return None
        region, _, _ = record.stack.partition(" ")
        session = Session(region, self._environment)
        return UploadsStack(session=session, name=place.name, stage=place.stage, sleep=self._sleep)

    def _log(self, app_id: str) -> AppLog:
        return AppLog(self._client, app_id, now=self._now, sleep=self._sleep)


def _one_version(stage: str) -> ProviderError:
    return ProviderError(
        "Modal sends all requests to one version: it has no share of the traffic to give.",
        hint=f"preheat deploy --provider modal --stage canary  # an app of its own, beside {stage}",
    )


def _options(project: Project) -> Options:
    return read_options(project.provider.get(PROVIDER, {}))
