"""One deploy, step by step. Every step finds what an earlier run, killed in the middle, has left.

package    whether Lambda makes one kind of the other          reads nothing
buckets    those of triggers are switched to EventBridge       adds to their notifications
send       archives and weights, or the image                  content-addressed, only what is missing
stack      all resources, by a change set                      CloudFormation rolls back what fails
code       update, publish, move the alias                     in place of the stack, or after it
prune      versions that nobody needs, and their images        never the stack's or the alias's
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from preheat.errors import ProviderError
from preheat.plan.model import Plan
from preheat.progress import Report, Step
from preheat.provider.protocol import Deployment
from preheat.provider.tokens import PendingToken, sha256_of
from preheat_providers._aws.buckets import make_tell
from preheat_providers._aws.parameters import artifact_bucket, has_token, stack_parameters
from preheat_providers._aws.stacks import Stack
from preheat_providers.aws_lambda.deploying.packages import Package
from preheat_providers.aws_lambda.deploying.versions import prune, publish_code, send_code
from preheat_providers.aws_lambda.observing import changes_code_alone
from preheat_providers.aws_lambda.operating.alias import Alias, move_alias, read_alias
from preheat_providers.aws_lambda.operating.anatomy import code_key, is_image
from preheat_providers.aws_lambda.outfit import Outfit
from preheat_providers.aws_lambda.place import Live, Place, deployment_of
from preheat_providers.aws_lambda.target import NAME
from preheat_providers.aws_lambda.template.names import Described, flags, stack_tags

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

STAGE = "apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """What is deployed where. `package` sends the code; `bucket` is the one for archives."""

    place: Place
    outfit: Outfit
    package: Package
    bucket: str
    token: PendingToken
    report: Report

    def run(self, plan: Plan) -> Deployment:
        """Make it so. Raises ProviderError, and the traffic stays where it was."""
        before = self.place.live()
        self._check_package(before)
        self._switch_buckets()
        self.package.send()
        if before is None or not self._code_is_enough(plan, before):
            self._change_stack(before)
        live = self._with_wanted_code(before)
        self._prune(live)
        token = self._new_token()
        return deployment_of(self.place, live, changed=True, token=token)

    @property
    def _lambda(self) -> "LambdaClient":
        return self.place.session.client("lambda")

    @property
    def _described(self) -> Described:
        return Described(self.outfit.wanted.digest, self.outfit.wanted.code)

    def _check_package(self, before: Live | None) -> None:
        """Raise ProviderError for a change that no function can make.

        https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, read on 2026-11-21
        """
        if before is None or is_image(before.stack.template) == is_image(self.outfit.template):
            return
        old, new = ("an image", "archives") if is_image(before.stack.template) else ("archives", "an image")
        name, stage = self.place.name, self.place.stage
        raise ProviderError(
            f"{self.place.function} is made of {old}, and Lambda makes no function of {old} one of {new}.",
            hint=f"preheat destroy {name} {flags(stage)}  # then deploy again; or another name or stage",
        )

    def _switch_buckets(self) -> None:
        client, region = self.place.session.client("s3"), self.place.session.region
        for trigger in self.outfit.wanted.uploads:
            if make_tell(client, trigger.bucket, region=region, trigger=trigger.name, provider=NAME):
                self.report(Step(STAGE, f"the bucket {trigger.bucket} tells EventBridge of its uploads"))

    def _code_is_enough(self, plan: Plan, before: Live) -> bool:
        return changes_code_alone(plan) and artifact_bucket(before.stack) in (self.bucket, None)

    def _change_stack(self, before: Live | None) -> None:
        """Create or update the stack; if that fails, the alias gets back what it had."""
        keeps_token = has_token(before.stack if before else None)
        new_token = self.outfit.wanted.token and not keeps_token
        parameters = stack_parameters(
            bucket=self.bucket,
            secrets=self.outfit.secrets,
            token=self.outfit.wanted.token,
            token_sha256=sha256_of(self.token.prepare()) if new_token else None,
        )
        if before is not None:
            self._undo_direct_code(before)
        self.report(Step(STAGE, f"asking CloudFormation what differs of {self.place.function}"))
        try:
            self.place.stacks.deploy(
                self.place.function,
                self.outfit.template,
                parameters={
                    name: value
                    for name, value in parameters.items()
                    if name in self.outfit.template["Parameters"]
                },
                tags=stack_tags(self.place.name, self.place.stage),
                report=self.report,
            )
        except ProviderError:
            if before is not None:
                self._put_back(before.alias)
            raise

    def _undo_direct_code(self, before: Live) -> None:
        """Send the wanted code if the stack had it, and a direct deploy has sent another one since.

        CloudFormation compares templates: it would leave that other code, and publish it as the wanted.
        """
        key, latest = self._described.key, before.versions[0].described.key
        if code_key(before.stack.template) == key != latest:
            self.report(Step(STAGE, "sending the code again that the stack had"))
            send_code(self._lambda, self.place.function, self.package.code(key))

    def _put_back(self, alias: Alias) -> None:
        """Undo what a roll-back does to code that came without the stack, which does not know of it."""
        if read_alias(self._lambda, self.place.function) not in (alias, None):
            self.report(Step(STAGE, f"release {alias.version} gets its traffic again"))
            move_alias(self._lambda, self.place.function, alias)

    def _with_wanted_code(self, before: Live | None) -> Live:
        """Return the function with all traffic at the code that is wanted, published first if need be.

        After a stack it is there, unless a direct deploy or a roll-back came since the stack last had it:
        its template is then the same as before, and CloudFormation changes nothing.
        """
        live = self.place.require()
        since = before.alias if before is not None else live.alias
        if live.active.described == self._described and live.alias == Alias(version=live.numbers[0]):
            return self._remembering(live, since.moved(live.alias.version))
        self.report(Step(STAGE, "publishing the code"))
        number = publish_code(
            self._lambda,
            self.place.function,
            self.package.code(self._described.key),
            described=self._described,
            logs=f"preheat logs {self.place.name} {flags(self.place.stage)}",
        )
        self.report(Step(STAGE, f"giving release {number} the traffic"))
        move_alias(self._lambda, self.place.function, since.moved(number))
        return self.place.require()

    def _remembering(self, live: Live, alias: Alias) -> Live:
        """Return `live` with an alias that knows what served before: CloudFormation does not tell it."""
        if live.alias.before == alias.before:
            return live
        move_alias(self._lambda, self.place.function, alias)
        return replace(live, alias=alias)

    def _prune(self, live: Live) -> None:
        needed = live.alias.needed | own_versions(live.stack)
        keep = self.outfit.wanted.options.kept_releases
        left = prune(self._lambda, self.place.function, keep=keep, needed=needed, report=self.report)
        self.package.tidy({code_key(live.stack.template), *(version.described.key for version in left)})

    def _new_token(self) -> str | None:
        if not self.outfit.wanted.token:
            return None
        return self.token.show(self.place.settings().token_sha256)


def own_versions(stack: Stack) -> frozenset[int]:
    """Return the version that the stack has as a resource, which must stay."""
    return frozenset({int(stack.outputs["Version"])})
