"""This machine as a provider: every function behind an endpoint on 127.0.0.1, scaled from zero."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from preheat.bundle.interpreter import find_interpreter, native_platform
from preheat.bundle.model import Bundle, Target
from preheat.bundle.shipped import REQUIREMENTS
from preheat.errors import NotDeployed, ProviderError
from preheat.findings import Finding
from preheat.interface.message import Request, Response
from preheat.plan.model import Cost, Plan, Resource
from preheat.progress import Report, Step
from preheat.project.home import home
from preheat.project.model import Project, QueueTrigger
from preheat.project.secret_values import resolve_secrets, secret_findings, secrets_mark
from preheat.provider.protocol import Capabilities, Deployment, Incoming, Pool, Receipt, Release, Status
from preheat.provider.rehearsal import Rehearsal
from preheat.provider.warm_options import Demand, WarmOption
from preheat_providers.local import warming
from preheat_providers.local.client import SupervisorClient
from preheat_providers.local.options import SCHEMA, Options, read_options, schedule_findings
from preheat_providers.local.rehearsing import rehearsal_of
from preheat_providers.local.resources import desired_resources, read_resource, resource_document
from preheat_providers.local.supervisor.paths import HomePaths, function_key
from preheat_providers.local.supervisor.spec import Spec
from preheat_providers.local.supervisor.tls import make_certificates

NAME = "local"
ENTRY = "preheat_providers.local.entry"

CAPABILITIES = Capabilities(
    triggers=frozenset({"http", "object-created", "schedule"}),
    auth=frozenset({"none", "token"}),
    gpu=True,
    streaming=True,
    jobs=True,
    scale_to_zero=True,
    snapshots=False,
    canary=True,
    max_body_bytes=None,
    max_response_bytes=None,
    max_timeout_s=None,
    max_memory_mb=None,
    max_unzipped_bytes=None,
    runs_from_cache=True,
)


def local_provider() -> "LocalProvider":
    """Return the provider of `$PREHEAT_HOME`: the entry point `local`."""
    return LocalProvider()


class LocalProvider:
    """Implements Provider, HandsOn, Rehearses and Warms of preheat.provider, over one home's supervisor."""

    name = NAME
    capabilities = CAPABILITIES

    def __init__(
        self, client: SupervisorClient | None = None, *, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._given = client
        self._environment = environment

    @property
    def client(self) -> SupervisorClient:
        """What talks to the supervisor; made late, because building and checking need no home."""
        return self._given or SupervisorClient(home())

    def options_schema(self) -> Mapping[str, Any]:
        """Return the JSON Schema of `[provider.local]`."""
        return SCHEMA

    def check(self, project: Project) -> tuple[Finding, ...]:
        """Return what this machine cannot do, and the secrets that cannot be resolved."""
        file = project.root / "preheat.toml"
        findings = [
            Finding(
                message=f"The local provider has no queue for the trigger {trigger.name!r}.",
                file=file,
                key=f"triggers.{trigger.name}",
                fix="Use POST /jobs, which is a durable queue, or deploy to aws_lambda.",
            )
            for trigger in project.triggers
            if isinstance(trigger, QueueTrigger)
        ]
        hours = schedule_findings(_options(project), file)
        return (*findings, *hours, *secret_findings(project, self._environment))

    def rehearsal(self, bundle: Bundle, project: Project) -> Rehearsal:
        """Return how a fresh worker starts, without the supervisor."""
        secrets = resolve_secrets(project, self._environment)
        spec = _spec(project, bundle, _options(project), mark=None)
        return rehearsal_of(spec, secrets, HomePaths(home()))

    def target(self, project: Project) -> Target:
        """Return this machine, and the Python that runs now unless the project names one."""
        return Target(
            provider=NAME,
            platform=native_platform(),
            python=project.python or f"{sys.version_info.major}.{sys.version_info.minor}",
            entry=(ENTRY,),
            requirements=REQUIREMENTS,
        )

    def desired(self, project: Project, bundle: Bundle) -> tuple[Resource, ...]:
        """Return the function, its endpoint and its triggers."""
        mark = secrets_mark(project, resolve_secrets(project, self._environment))
        return desired_resources(project, bundle, _options(project), secrets_mark=mark)

    def template(self, project: Project, bundle: Bundle) -> str:  # noqa: ARG002
        """Refuse: there is no template of this machine."""
        raise ProviderError(
            "The local provider is made by no template.", hint="preheat plan --provider aws_lambda --template"
        )

    def costs(self, project: Project, bundle: Bundle) -> tuple[Cost, ...]:  # noqa: ARG002
        """Return nothing: the machine is the user's."""
        return ()

    def warm_options(self, project: Project, demand: Demand) -> tuple[WarmOption, ...]:
        """Return idle times, numbers of workers, hours, and the histogram policy."""
        return tuple(warming.warm_options(project, demand))

    def warm_settings(self, project: Project, pool: Pool) -> Mapping[str, Any]:
        """Return a pool as `[scaling]` has it."""
        return warming.warm_settings(_options(project), pool)

    def observe(self, name: str, stage: str) -> tuple[Resource, ...]:
        """Return what the supervisor has of the function; empty if nothing was ever deployed here."""
        if not self.client.in_use:
            return ()
        documents = self.client.order("observe", name=name, stage=stage)
        return tuple(read_resource(document) for document in documents)

    def apply(self, plan: Plan, project: Project, bundle: Bundle, *, report: Report) -> Deployment:  # noqa: ARG002
        """Hand the release to the supervisor and wait until it serves."""
        options = _options(project)
        secrets = resolve_secrets(project, self._environment)
        spec = _spec(project, bundle, options, mark=secrets_mark(project, secrets))
        client = self.client
        if options.tls:
            make_certificates(client.paths.tls)

        def say(text: str) -> None:
            report(Step("apply", text))

        say("handing the release to the supervisor")
        return _deployment(client.order("deploy", say=say, spec=spec.to_json(), secrets=secrets))

    def deployment(self, name: str, stage: str) -> Deployment:
        """Return what is deployed."""
        return _deployment(self._order("deployment", name, stage))

    def status(self, name: str | None, stage: str | None) -> tuple[Status, ...]:
        """Return every function that matches."""
        if not self.client.in_use:
            return ()
        documents = self.client.order("status", name=name, stage=stage)
        return tuple(Status(**document) for document in documents)

    def invoke(self, name: str, stage: str, request: Request) -> Response:
        """Send one request through the endpoint, with the token kept on this machine."""
        endpoint = self.deployment(name, stage).endpoint
        return self.client.invoke(endpoint, function_key(name, stage), request)

    def ask(self, name: str, stage: str, request: Request) -> AbstractContextManager[Incoming]:
        """Do the same, and hand the answer on as it comes."""
        endpoint = self.deployment(name, stage).endpoint
        return self.client.ask(endpoint, function_key(name, stage), request)

    def submit(self, name: str, stage: str, request: Request) -> str:
        """Queue one request as a job of the endpoint."""
        endpoint = self.deployment(name, stage).endpoint
        return self.client.submit(endpoint, function_key(name, stage), request)

    def logs(self, name: str, stage: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
        """Yield log events, oldest first."""
        self._require(name, stage)
        yield from self.client.lines("logs", name=name, stage=stage, follow=follow)

    def releases(self, name: str, stage: str) -> tuple[Release, ...]:
        """Return the releases, newest first."""
        return tuple(Release(**document) for document in self._order("releases", name, stage))

    def rollback(self, name: str, stage: str, release: int | None) -> Deployment:
        """Make `release`, or the one before, the active one."""
        return _deployment(self._order("rollback", name, stage, release=release))

    def promote(self, name: str, stage: str, *, canary: float | None) -> Deployment:
        """Give the newest release a share of the traffic, or all of it."""
        return _deployment(self._order("promote", name, stage, canary=canary))

    def firing(self, name: str, stage: str, alarms: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Refuse: nothing on this machine watches a function."""
        raise ProviderError(
            "The local provider has no alarms.",
            hint=f"preheat promote {name}  # and look at: preheat status {name}",
        )

    def replay(self, name: str, stage: str) -> int:
        """Queue every dead-lettered delivery again."""
        return int(self._order("replay", name, stage))

    def backfill(self, name: str, stage: str, source: str) -> int:
        """Deliver the objects that already exist under `source`."""
        place = source if "://" in source else str(Path(source).resolve())
        return int(self._order("backfill", name, stage, source=place))

    def destroy(self, name: str, stage: str, *, report: Report) -> Receipt:
        """Drain the function and remove what deploy made; buckets and the cache stay."""
        report(Step("destroy", f"{name} at stage {stage}"))
        found = self._order("destroy", name, stage)
        return Receipt(name=name, stage=stage, removed=tuple(found["removed"]), left=tuple(found["left"]))

    def _order(self, op: str, name: str, stage: str, **fields: Any) -> Any:
        self._require(name, stage)
        return self.client.order(op, name=name, stage=stage, **fields)

    def _require(self, name: str, stage: str) -> None:
        if not self.client.in_use:
            raise NotDeployed(
                f"{name!r} is not deployed at stage {stage!r}.", hint="See what is: preheat status"
            )


def _options(project: Project) -> Options:
    return read_options(project.provider.get(NAME, {}))


def _deployment(document: Mapping[str, Any]) -> Deployment:
    return Deployment(**{**document, "notes": tuple(document["notes"])})


def _spec(project: Project, bundle: Bundle, options: Options, *, mark: str | None) -> Spec:
    interpreter = find_interpreter(bundle.target.python)
    if interpreter is None:
        raise ProviderError(
            f"There is no Python {bundle.target.python} on this machine to run {project.name} with.",
            hint=f"uv python install {bundle.target.python}",
        )
    if bundle.contract is None:
        raise ProviderError(
            f"The bundle of {project.name} was not run on this machine, so its inputs are unknown.",
            hint="Build it here: preheat build",
        )
    observed = desired_resources(project, bundle, options, secrets_mark=mark)
    return Spec(
        name=project.name,
        stage=project.stage,
        digest=bundle.digest,
        python=interpreter.path,
        code=bundle.layer("code").path,
        dependencies=bundle.layer("dependencies").path,
        weights=bundle.layer("weights").path,
        contract=bundle.contract,
        resources=project.resources,
        scaling=project.scaling,
        limits=project.limits,
        triggers=project.triggers,
        env=dict(project.env),
        secrets=tuple(sorted(project.secrets)),
        options=options,
        observed=tuple(resource_document(resource) for resource in observed),
    )
