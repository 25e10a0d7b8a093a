"""One deploy, step by step. Every step finds what an earlier run, killed in the middle, has left.

update     whether SageMaker makes one of the other                reads nothing
quota      whether the account may run the machines                reads Service Quotas
images     the stack of the image repository                       by a change set
push       the image                                               only the layers that are missing
buckets    those of triggers are switched to EventBridge           adds to their notifications
send       the front's archive, and weights that go apart          only what is missing
stack      all other resources, by a change set                    CloudFormation rolls back what fails
traffic    the endpoint runs what the stack made                   where a roll-back came in between
record     the release gets its number                             after it works
prune      releases that nobody needs                              never the one that serves
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from preheat.bundle.model import Bundle
from preheat.errors import ProviderError
from preheat.progress import Report, Step
from preheat.provider.protocol import Deployment
from preheat.provider.tokens import PendingToken, sha256_of
from preheat_providers._aws.buckets import make_tell
from preheat_providers._aws.images.imaging import Imaging
from preheat_providers._aws.parameters import has_token, stack_parameters
from preheat_providers._aws.stacks import Stack, StackFailed, Stacks
from preheat_providers.sagemaker.deploying.recording import prune, record
from preheat_providers.sagemaker.deploying.sending import send_front, send_weights
from preheat_providers.sagemaker.deploying.watching import Watch
from preheat_providers.sagemaker.operating.traffic import move, settle
from preheat_providers.sagemaker.outfit import Outfit
from preheat_providers.sagemaker.place import Live, Place, deployment_of
from preheat_providers.sagemaker.quotas import check_quota, find_quota, needed_machines
from preheat_providers.sagemaker.shipped.settings import PROVIDER
from preheat_providers.sagemaker.template.names import log_group, repository_name, stack_tags, weights_prefix
from preheat_providers.sagemaker.template.updating import first_step, update_problem

STAGE = "apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """What is deployed where, by way of which artifact `bucket`."""

    place: Place
    outfit: Outfit
    bundle: Bundle
    imaging: Imaging
    bucket: str
    token: PendingToken
    report: Report

    def run(self) -> Deployment:
        """Make it so. Raises ProviderError, and the endpoint runs what it ran."""
        self._settle()
        before = self.place.live()
        self._check_update(before)
        self._check_quota(before)
        self._make_repository()
        self.imaging.push(self.outfit.image, repository_name(self.place.name, self.place.stage))
        self._switch_buckets()
        self._send()
        if before is not None:
            record(self.place, before)
        self._change_stack(before)
        live = self._with_newest(self.place.require())
        record(self.place, live, before=before)
        prune(self.place, live, keep=self.outfit.wanted.options.keep_releases, report=self.report)
        return deployment_of(self.place, live, changed=True, token=self._new_token(live))

    def _tell(self, text: str) -> None:
        self.report(Step(STAGE, text))

    def _settle(self) -> None:
        """Wait for the end of an update that a roll-back or somebody else began beside the stack."""
        stack = self.place.stack()
        if stack is not None and not stack.in_progress:
            settle(self.place, tell=self._tell)

    def _check_update(self, before: Live | None) -> None:
        problem = update_problem(dict(before.stack.template), dict(self.outfit.template)) if before else None
        if problem is not None:
            raise ProviderError(
                problem,
                hint=f"preheat destroy {self.place.name} --provider {PROVIDER}  # or another name or stage",
            )

    def _check_quota(self, before: Live | None) -> None:
        wanted = self.outfit.wanted
        if wanted.instance is None:
            return
        quota = find_quota(self.place.session.client("service-quotas"), wanted.instance)
        if quota is not None:
            needed = needed_machines(floor=wanted.floor, exists=before is not None)
            check_quota(quota, needed=needed, region=self.place.session.region)

    def _make_repository(self) -> None:
        self.place.image_stack()
        self._tell(f"asking CloudFormation what differs of {self.place.image_stack_name}")
        self.place.stacks.deploy(
            self.place.image_stack_name,
            self.outfit.images_template,
            parameters={},
            tags=stack_tags(self.place.name, self.place.stage),
            report=self.report,
        )

    def _switch_buckets(self) -> None:
        client, region = self.place.session.client("s3"), self.place.session.region
        wanted = self.outfit.wanted
        for trigger in wanted.uploads:
            # Results are told of too, by the bucket of jobs if that is somebody else's.
            for bucket in filter(None, (trigger.bucket, wanted.options.output_bucket)):
                if make_tell(client, bucket, region=region, trigger=trigger.name, provider=PROVIDER):
                    self._tell(f"the bucket {bucket} tells EventBridge of its uploads")

    def _send(self) -> None:
        self._tell(f"sending what s3://{self.bucket} lacks")
        client, wanted = self.place.session.client("s3"), self.outfit.wanted
        send_front(client, self.outfit.front, bucket=self.bucket, key=wanted.front, report=self.report)
        if wanted.weights is not None:
            prefix = weights_prefix(self.place.name, self.place.stage, wanted.weights)
            layer = self.bundle.layer("weights")
            send_weights(client, layer, bucket=self.bucket, prefix=prefix, report=self.report)

    def _change_stack(self, before: Live | None) -> None:
        """Create or update the stack. Raises StackFailed with what the container has said."""
        session = self.place.session
        group = log_group(self.place.name, self.place.stage)
        watch = Watch(session.client("logs"), group, self.report, sleep=self.place.sleep)
        stacks = self.place.stacks_by(watch.sleep)
        step = first_step(dict(before.stack.template), dict(self.outfit.template)) if before else None
        if before is not None and step is not None:
            self._tell("taking the scaling off, which SageMaker wants before another machine")
            self._bring(stacks, step, before.stack)
        self._tell(f"asking CloudFormation what differs of {self.place.stack_name}")
        try:
            self._bring(stacks, self.outfit.template, before.stack if before else None)
        except StackFailed as error:
            watch.look()
            if not watch.last_words:
                raise
            raise StackFailed(
                f"{error.message}\nThe container said:{watch.last_words}",
                hint=error.hint,
                status=error.status,
                failures=error.failures,
            ) from error

    def _bring(self, stacks: Stacks, template: Mapping[str, Any], before: Stack | None) -> None:
        new_token = self.outfit.wanted.token and not has_token(before)
        parameters = stack_parameters(
            bucket=self.bucket,
            secrets=self.outfit.secrets,
            token=self.outfit.wanted.token,
            token_sha256=sha256_of(self.token.prepare()) if new_token else None,
        )
        stacks.deploy(
            self.place.stack_name,
            template,
            parameters={name: value for name, value in parameters.items() if name in template["Parameters"]},
            tags=stack_tags(self.place.name, self.place.stage),
            report=self.report,
        )

    def _with_newest(self, live: Live) -> Live:
        """Return it with what the stack made, which CloudFormation takes for done after a roll-back."""
        if live.config == live.newest.config:
            return live
        self._tell(f"giving release {live.newest.number} the traffic again")
        move(self.place, live, live.newest)
        return self.place.require()

    def _new_token(self, live: Live) -> str | None:
        if not self.outfit.wanted.token:
            return None
        return self.token.show(self.place.front_variables(live.stack).get("PREHEAT_TOKEN_SHA256"))
