"""AWS Lambda as a provider: one CloudFormation stack for each function and stage, another for its images."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from preheat_providers.aws_lambda import warming
from preheat_providers.aws_lambda.container import base_of
from preheat_providers.aws_lambda.costs import costs_of
from preheat_providers.aws_lambda.deploying.archives import Artifacts
from preheat_providers.aws_lambda.deploying.deploy import Deploy
from preheat_providers.aws_lambda.deploying.packages import Archives, Images, Package
from preheat_providers.aws_lambda.limits import capabilities, project_findings
from preheat_providers.aws_lambda.observing import desired_resources, observed_resources
from preheat_providers.aws_lambda.operating import destroying, invoking
from preheat_providers.aws_lambda.operating.alias import Alias, move_alias
from preheat_providers.aws_lambda.operating.anatomy import keeps_ready
from preheat_providers.aws_lambda.operating.releases import release_list
from preheat_providers.aws_lambda.operating.status import status_of
from preheat_providers.aws_lambda.operating.traffic import promoted, rolled_back
from preheat_providers.aws_lambda.options import SCHEMA, Options, read_options
from preheat_providers.aws_lambda.outfit import Outfit, image_of, outfit_of
from preheat_providers.aws_lambda.place import Live, Place, deployment_of
from preheat_providers.aws_lambda.redelivery.backfilling import backfill
from preheat_providers.aws_lambda.redelivery.replaying import replay
from preheat_providers.aws_lambda.rehearsing import rehearsal_of
from preheat_providers.aws_lambda.remarks import push_remark
from preheat_providers.aws_lambda.target import NAME, environment_of, target_of
from preheat_providers.aws_lambda.template.names import (
    default_bucket,
    repository_name,
    stack_name,
)
from preheat_providers.aws_lambda.template.variables import own_variables

if TYPE_CHECKING:
    from preheat.bundle.image.image import Image

CAPABILITIES = Capabilities(
    triggers=frozenset({"http", "object-created", "queue", "schedule"}),
    auth=frozenset({"none", "token", "iam", "jwt"}),
    gpu=False,
    streaming=False,
    jobs=True,
    scale_to_zero=True,
    snapshots=True,
    canary=True,
    **capabilities(),
)


def lambda_provider() -> "LambdaProvider":
    """Return the provider of the shell's AWS account: the entry point `aws_lambda`."""
    return LambdaProvider()


class LambdaProvider:
    """Implements preheat.provider.protocol.Provider, Bootstraps, BuildsOn, Rehearses, Remarks and Warms.

    `reach` is for emulators.
    """

    name = NAME
    capabilities = CAPABILITIES

    def __init__(
        self,
        *,
        environment: Mapping[str, str] = os.environ,
        home: Callable[[], Path] = preheat_home,
        folder: Callable[[], Path] = Path.cwd,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        reach: Reach = directly,
    ) -> None:
        self._environment = environment
        self._home = home
        self._sleep = sleep
        self._now = now
        self._reach = reach
        self._shell = Shell(NAME, stack_name, environment=environment, home=home, folder=folder, sleep=sleep)

    def options_schema(self) -> Mapping[str, Any]:
        """Return the JSON Schema of `[provider.aws_lambda]`."""
        return SCHEMA

    def check(self, project: Project) -> tuple[Finding, ...]:
        """Return what Lambda cannot do, and the secrets that cannot be resolved."""
        options = _options(project)
        environment = own_variables(project, options, environment_of(project, options))
        return (
            *project_findings(project, options, environment=environment),
            *secret_findings(project, self._environment),
        )

    def rehearsal(self, bundle: Bundle, project: Project) -> Rehearsal:
        """Return how a function starts here, without Lambda."""
        return rehearsal_of(bundle, project, _options(project), self._environment)

    def target(self, project: Project) -> Target:
        """Return Lambda's own machine."""
        return target_of(project, _options(project))

    def look_at_base(self, project: Project, *, report: Report) -> None:
        """Look into the base image, where there is one. Raises BundleError where it does not fit."""
        options, target = _options(project), self.target(project)
        with self._imaging(options, report) as images:
            if images is not None:
                images.foundation(project.root, target, base=base_of(options, target.python))

    def desired(self, project: Project, bundle: Bundle) -> tuple[Resource, ...]:
        """Return the resources of the template. Raises ProjectError for what AWS has no room for."""
        outfit = self._outfit(project, bundle)
        return desired_resources(outfit.template, outfit.images_template)

    def template(self, project: Project, bundle: Bundle) -> str:
        """Return the CloudFormation template."""
        return json.dumps(self._outfit(project, bundle).template, indent=1, ensure_ascii=False) + "\n"

    def costs(self, project: Project, bundle: Bundle) -> tuple[Cost, ...]:
        """Return what `project` costs in its region, which is that of the environment where it names none."""
        options = _options(project)
        region = self._shell.priced(options.region)
        return costs_of(project, options, region=region, unzipped_bytes=bundle.unzipped_bytes)

    def warm_options(self, project: Project, demand: Demand) -> tuple[WarmOption, ...]:
        """Return nothing, a snapshot, pings, and what is kept ready."""
        options = _options(project)
        return tuple(
            warming.warm_options(project, options, demand, region=self._shell.priced(options.region))
        )

    def warm_settings(self, project: Project, pool: Pool) -> Mapping[str, Any]:
        """Return how many environments are kept ready. Raises ProviderError for the rest of a pool."""
        return warming.warm_settings(_options(project), pool)

    def remarks(self, project: Project, bundle: Bundle) -> tuple[str, ...]:
        """Return how much of an image a deploy would send. Asks ECR."""
        options = _options(project)
        with self._imaging(options, quiet) as images:
            if images is None:
                return ()
            image = image_of(project, bundle, options, images)
            missing = images.missing_bytes(image, repository_name(project.name, project.stage))
            return (push_remark(image.bytes, missing),)

    def observe(self, name: str, stage: str) -> tuple[Resource, ...]:
        """Return what the stack has, and what was changed beside it."""
        place = self._place(name, stage)
        live = place.live()
        return observed_resources(place, live) if live is not None else ()

    def apply(self, plan: Plan, project: Project, bundle: Bundle, *, report: Report) -> Deployment:
        """Send what is missing, then change the stack, or the code alone where that is all."""
        options = self._options_of(project)
        place = self._place(project.name, project.stage)
        account = place.session.account()
        bucket = options.artifact_bucket or default_bucket(account.id, account.region)
        with self._imaging(options, report) as images:
            outfit = outfit_of(project, bundle, options, self._environment, images)
            deploy = Deploy(
                place=place,
                outfit=outfit,
                package=self._package(place, outfit.package, images, bucket, report),
                bucket=bucket,
                token=self._token(place),
                report=report,
            )
            return deploy.run(plan)

    def deployment(self, name: str, stage: str) -> Deployment:
        """Return what is deployed, with the token if a deploy that was killed has not shown it."""
        place = self._place(name, stage)
        live = place.require()
        token = self._token(place)
        shown = token.show(place.settings().token_sha256) if token.waits else None
        return deployment_of(place, live, changed=False, token=shown)

    def status(self, name: str | None, stage: str | None) -> tuple[Status, ...]:
        """Return every function of the region that matches; cold starts only where one is asked for."""
        found = []
        for each in self._shell.deployed(name, stage):
            place = self._place(*each)
            live = place.live()
            if live is not None:
                log = self._log(place) if name is not None else None
                moment = datetime.fromtimestamp(self._now(), UTC)
                found.append(status_of(place, live, now=moment, log=log))
        return tuple(found)

    def invoke(self, name: str, stage: str, request: Request) -> Response:
        """Send one request through the Lambda API, past the endpoint and its token."""
        place = self._place(name, stage)
        client = place.session.client("lambda", answer_s=invoking.ANSWER_S)
        try:
            return invoking.ask(client, place.function, request)
        except invoking.Missing as missing:
            raise place.missing() from missing

    def submit(self, name: str, stage: str, request: Request) -> str:
        """Queue one request as a job."""
        from preheat_providers.aws_lambda.operating.submitting import submit  # imports the AWS SDK

        return submit(self._place(name, stage), request)

    def logs(self, name: str, stage: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
        """Yield the events of the last day, or those of the last minutes and all that come."""
        place = self._place(name, stage)
        place.require()
        log = self._log(place)
        yield from log.follow() if follow else log.recent()

    def releases(self, name: str, stage: str) -> tuple[Release, ...]:
        """Return the published versions, newest first."""
        live = self._place(name, stage).require()
        return release_list(live.versions, live.alias)

    def rollback(self, name: str, stage: str, release: int | None) -> Deployment:
        """Give `release`, or the one before the active one, all of the traffic."""
        return self._route(
            name, stage, lambda live: rolled_back(name, stage, live.numbers, live.alias, release)
        )

    def promote(self, name: str, stage: str, *, canary: float | None) -> Deployment:
        """Give the newest release a share of the traffic, or all of it."""

        def choose(live: Live) -> Alias:
            ready = keeps_ready(live.stack.template)
            return promoted(name, stage, live.numbers, live.alias, canary, keeps_ready=ready)

        return self._route(name, stage, choose)

    def firing(self, name: str, stage: str, alarms: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of `alarms` fire, or of those that the function's stack has."""
        place = self._place(name, stage)
        watched = alarms or alarm_names(place.require().stack.template)
        return firing_alarms(place.session.client("cloudwatch"), watched)

    def replay(self, name: str, stage: str) -> int:
        """Send every dead letter back to its queue, and make failed calls again."""
        return replay(self._place(name, stage))

    def backfill(self, name: str, stage: str, source: str) -> int:
        """Tell the triggers of the objects that exist below `source`."""
        return backfill(self._place(name, stage), source)

    def destroy(self, name: str, stage: str, *, report: Report) -> Receipt:
        """Remove the stack and what lies beside it."""
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
        with self._imaging(options, quiet) as images:
            return outfit_of(project, bundle, options, self._environment, images)

    @contextmanager
    def _imaging(self, options: Options, report: Report) -> Iterator[Imaging | None]:
        """Yield what builds and pushes images, or None for a function of archives."""
        if not options.is_image:
            yield None
            return
        session = self._shell.session(options.region)
        with imaging(session, self._environment, self._cache(), report, reach=self._reach) as images:
            yield images

    def _package(
        self, place: Place, package: "Artifacts | Image", images: Imaging | None, bucket: str, report: Report
    ) -> Package:
        if isinstance(package, Artifacts):
            return Archives(place=place, artifacts=package, bucket=bucket, cache=self._cache(), report=report)
        assert images is not None
        return Images(place=place, image=package, imaging=images, report=report)

    def _cache(self) -> Cache:
        return Cache(self._home() / "cache")

    def _route(self, name: str, stage: str, choose: Callable[[Live], Alias]) -> Deployment:
        place = self._place(name, stage)
        move_alias(place.session.client("lambda"), place.function, choose(place.require()))
        return deployment_of(place, place.require(), changed=True)

    def _place(self, name: str, stage: str) -> Place:
        session = self._shell.session_of(name, stage)
        return Place(session=session, name=name, stage=stage, sleep=self._sleep)

    def _token(self, place: Place) -> PendingToken:
        return self._shell.token(place.session, place.function)

    def _log(self, place: Place) -> GroupLog:
        client = place.session.client("logs")
        return GroupLog(client, place.group, now=self._now, sleep=self._sleep)


def _options(project: Project) -> Options:
    return read_options(project.provider.get(NAME, {}))
