"""Amazon SageMaker as a provider: an endpoint and its front for each function and stage, in two stacks."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from preheat.bundle.cache import Cache
from preheat.bundle.model import Bundle, Target
from preheat.findings import Finding
from preheat.interface.message import Request, Response
from preheat.plan.model import Cost, Plan, Resource
from preheat.progress import Report, quiet
from preheat.project.home import home as preheat_home
from preheat.project.model import Project
from preheat.project.secret_values import secret_findings
from preheat.provider.protocol import (
    Bootstrapped,
    Capabilities,
    Deployment,
    Groundwork,
    Pool,
    Receipt,
    Release,
    Status,
)
from preheat.provider.rehearsal import Rehearsal
from preheat.provider.tokens import PendingToken
from preheat.provider.warm_options import Demand, WarmOption
from preheat_providers._aws.alarms import firing_alarms
from preheat_providers._aws.images.imaging import Imaging, imaging
from preheat_providers._aws.images.registry import Reach, directly
from preheat_providers._aws.logs import GroupLog
from preheat_providers._aws.shell import Shell
from preheat_providers._aws.templates.anatomy import alarm_names
from preheat_providers.sagemaker import redelivery, warming
from preheat_providers.sagemaker.costs import costs_of
from preheat_providers.sagemaker.deploying.deploy import Deploy
from preheat_providers.sagemaker.imaging import base_of
from preheat_providers.sagemaker.limits import capabilities, project_findings
from preheat_providers.sagemaker.observing import desired_resources, observed_resources
from preheat_providers.sagemaker.operating import asking, destroying
from preheat_providers.sagemaker.operating.releases import Released, release_list
from preheat_providers.sagemaker.operating.status import status_of
from preheat_providers.sagemaker.operating.traffic import at_rest, checked_canary, move, rolled_back
from preheat_providers.sagemaker.options import SCHEMA, Options, read_options
from preheat_providers.sagemaker.outfit import Outfit, outfit_of
from preheat_providers.sagemaker.place import Live, Place, deployment_of
from preheat_providers.sagemaker.rehearsing import rehearsal_of
from preheat_providers.sagemaker.remarks import remarks_of
from preheat_providers.sagemaker.shipped.settings import PROVIDER
from preheat_providers.sagemaker.target import target_of
from preheat_providers.sagemaker.template.names import default_bucket, stack_name

CAPABILITIES = Capabilities(
    triggers=frozenset({"http", "object-created"}),
    auth=frozenset({"none", "token", "iam"}),
    gpu=True,
    streaming=False,
    jobs=True,
    scale_to_zero=True,
    snapshots=False,
    canary=False,  # only within an update: no share of the traffic stays where it was put
    **capabilities(),
)


def sagemaker_provider() -> "SagemakerProvider":
    """Return the provider of the shell's AWS account: the entry point `sagemaker`."""
    return SagemakerProvider()


class SagemakerProvider:
    """Implements preheat.provider.protocol.Provider, Bootstraps, BuildsOn, Remarks, Rehearses and Warms.

    `reach` is for emulators.
    """

    name = PROVIDER
    capabilities = CAPABILITIES

    def __init__(
        self,
        *,
        environment: Mapping[str, str] = os.environ,
        home: Callable[[], Path] = preheat_home,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        folder: Callable[[], Path] = Path.cwd,
        reach: Reach = directly,
    ) -> None:
        self._environment = environment
        self._home = home
        self._sleep = sleep
        self._now = now
        self._reach = reach
        self._shell = Shell(
            PROVIDER, stack_name, environment=environment, home=home, folder=folder, sleep=sleep
        )

    def options_schema(self) -> Mapping[str, Any]:
        """Return the JSON Schema of `[provider.sagemaker]`."""
        return SCHEMA

    def check(self, project: Project) -> tuple[Finding, ...]:
        """Return what SageMaker cannot do, and the secrets that cannot be resolved."""
        findings = project_findings(project, _options(project))
        return (*findings, *secret_findings(project, self._environment))

    def rehearsal(self, bundle: Bundle, project: Project) -> Rehearsal:
        """Return how a container starts here, without an instance."""
        return rehearsal_of(bundle, project, _options(project), self._environment)

    def target(self, project: Project) -> Target:
        """Return the machine of an instance."""
        return target_of(project, _options(project))

    def look_at_base(self, project: Project, *, report: Report) -> None:
        """Look into the base image. Raises BundleError where it does not fit."""
        target = self.target(project)
        with self._imaging(project, report) as images:
            images.foundation(project.root, target, base=base_of(_options(project), target.python))

    def desired(self, project: Project, bundle: Bundle) -> tuple[Resource, ...]:
        """Return the resources of the templates.

        The first time, and whenever its base changes, that asks the base's registry: the image is named
        by its digest, which is known before anything is pushed.
        """
        outfit = self._outfit(project, bundle)
        return desired_resources(outfit.template, outfit.images_template)

    def template(self, project: Project, bundle: Bundle) -> str:
        """Return the CloudFormation template of the endpoint."""
        return json.dumps(self._outfit(project, bundle).template, indent=1, ensure_ascii=False) + "\n"

    def costs(self, project: Project, bundle: Bundle) -> tuple[Cost, ...]:
        """Return what `project` costs in its region, which is that of the environment where it names none."""
        del bundle  # the size of an image costs nothing worth a line
        options = _options(project)
        return costs_of(project, options, region=self._shell.priced(options.region))

    def warm_options(self, project: Project, demand: Demand) -> tuple[WarmOption, ...]:
        """Return numbers of instances, and hours. Raises ProviderError without a known price."""
        options = _options(project)
        return tuple(
            warming.warm_options(project, options, demand, region=self._shell.priced(options.region))
        )

    def warm_settings(self, project: Project, pool: Pool) -> Mapping[str, Any]:
        """Return the instances that are kept. Raises ProviderError for a buffer."""
        return warming.warm_settings(_options(project), pool)

    def remarks(self, project: Project, bundle: Bundle) -> tuple[str, ...]:
        """Return what is not known of the machine, and what nobody promises of long requests."""
        return remarks_of(project, _options(project), bundle)

    def observe(self, name: str, stage: str) -> tuple[Resource, ...]:
        """Return what the stacks have, and what was changed beside them."""
        place = self._place(name, stage)
        live = place.live()
        return observed_resources(place, live) if live is not None else ()

    def apply(self, plan: Plan, project: Project, bundle: Bundle, *, report: Report) -> Deployment:
        """Push the image, send what is missing, change the stacks."""
        del plan  # CloudFormation compares by itself
        options = self._options_of(project)
        place = self._place(project.name, project.stage)
        account = place.session.account()
        with self._imaging(project, report) as images:
            deploy = Deploy(
                place=place,
                outfit=outfit_of(project, bundle, options, self._environment, images),
                bundle=bundle,
                imaging=images,
                bucket=options.artifact_bucket or default_bucket(account.id, account.region),
                token=self._token(place),
                report=report,
            )
            return deploy.run()

    def deployment(self, name: str, stage: str) -> Deployment:
        """Return what is deployed, with the token if a deploy that was killed has not shown it."""
        place = self._place(name, stage)
        live = place.require()
        token = self._token(place)
        sha256 = place.front_variables(live.stack).get("PREHEAT_TOKEN_SHA256") if token.waits else None
        shown = token.show(sha256) if token.waits else None
        return deployment_of(place, live, changed=False, token=shown)

    def status(self, name: str | None, stage: str | None) -> tuple[Status, ...]:
        """Return every function of the region that matches; starts only where one is asked for."""
        found = []
        for each in self._shell.deployed(name, stage):
            place = self._place(*each)
            live = place.found()
            if live is not None:
                log = self._log(place, live) if name is not None else None
                moment = datetime.fromtimestamp(self._now(), UTC)
                found.append(status_of(place, live, now=moment, log=log))
        return tuple(found)

    def invoke(self, name: str, stage: str, request: Request) -> Response:
        """Send one request through SageMaker's API, past the front and its token."""
        return asking.ask(self._place(name, stage), request)

    def submit(self, name: str, stage: str, request: Request) -> str:
        """Queue one request as a job."""
        return asking.submit(self._place(name, stage), request)

    def logs(self, name: str, stage: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
        """Yield the events of the last day, or those of the last minutes and all that come."""
        place = self._place(name, stage)
        log = self._log(place, place.require())
        yield from log.follow() if follow else log.recent()

    def releases(self, name: str, stage: str) -> tuple[Release, ...]:
        """Return the endpoint configs that stay, newest first."""
        live = self._place(name, stage).require()
        return release_list(live.releases, live.config)

    def rollback(self, name: str, stage: str, release: int | None) -> Deployment:
        """Have the endpoint run `release`, or the one before the active one."""
        place = self._place(name, stage)
        live = at_rest(place)
        return self._moved(place, live, rolled_back(name, live.releases, live.active, release))

    def promote(self, name: str, stage: str, *, canary: float | None) -> Deployment:
        """Have the endpoint run the newest release; with `canary` that share of it takes requests first."""
        place = self._place(name, stage)
        live = at_rest(place)
        share = checked_canary(name, live, canary) if canary is not None else None
        return self._moved(place, live, live.newest, share=share)

    def firing(self, name: str, stage: str, alarms: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of `alarms` fire, or of those of the stack that tell of mistakes."""
        place = self._place(name, stage)
        watched = alarms or tuple(
            each for each in alarm_names(place.require().stack.template) if not each.endswith("-wake")
        )
        return firing_alarms(place.session.client("cloudwatch"), watched)

    def replay(self, name: str, stage: str) -> int:
        """Tell the forwarder of every upload again that came to nothing."""
        return redelivery.replay(self._place(name, stage))

    def backfill(self, name: str, stage: str, source: str) -> int:
        """Tell the forwarder of the objects that exist below `source`."""
        return redelivery.backfill(self._place(name, stage), source)

    def destroy(self, name: str, stage: str, *, report: Report) -> Receipt:
        """Remove the stacks and what lies beside them."""
        place = self._place(name, stage)
        receipt = destroying.destroy(place, report)
        self._token(place).forget()
        return receipt

    def bootstrap_template(self) -> str:
        """Return the template of what an account needs once."""
        from preheat_providers._aws.bootstrap.document import rendered

        return rendered()

    def bootstrap(self, groundwork: Groundwork, *, report: Report) -> Bootstrapped:
        """Set up the artifact bucket, and who may deploy, in the account and region of the shell."""
        return self._shell.bootstrap(groundwork, report=report)

    def _options_of(self, project: Project) -> Options:
        options = _options(project)
        self._shell.remember(project.name, project.stage, options.region)
        return options

    def _outfit(self, project: Project, bundle: Bundle) -> Outfit:
        options = self._options_of(project)
        with self._imaging(project, quiet) as images:
            return outfit_of(project, bundle, options, self._environment, images)

    @contextmanager
    def _imaging(self, project: Project, report: Report) -> Iterator[Imaging]:
        session = self._shell.session(_options(project).region)
        cache = Cache(self._home() / "cache")
        with imaging(session, self._environment, cache, report, reach=self._reach) as images:
            yield images

    def _moved(self, place: Place, live: Live, to: Released, *, share: float | None = None) -> Deployment:
        changed = to.config != live.config
        if changed:
            move(place, live, to, share=share)
        return deployment_of(place, place.require(), changed=changed)

    def _place(self, name: str, stage: str) -> Place:
        session = self._shell.session_of(name, stage)
        return Place(session=session, name=name, stage=stage, sleep=self._sleep)

    def _token(self, place: Place) -> PendingToken:
        return self._shell.token(place.session, place.stack_name)

    def _log(self, place: Place, live: Live) -> GroupLog:
        client = place.session.client("logs")
        return GroupLog(client, *place.log_groups(live.stack), now=self._now, sleep=self._sleep)


def _options(project: Project) -> Options:
    return read_options(project.provider.get(PROVIDER, {}))
