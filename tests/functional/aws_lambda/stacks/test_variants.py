"""Every pair of choices of a function: made, changed, rolled back and destroyed through the provider.

None of these functions is called, so one bundle for each place of the weights does for all of them, also
for a Python that this machine lacks. MiniStack takes what a template says of the reserved concurrency, of
the role's boundary, of a schedule's time zone and of how long the jobs' bucket keeps objects, and forgets it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
from tests.fakes.aws.applied import Applied, Facts, applied
from tests.fakes.aws.cloud import Cloud
from tests.fakes.aws.facts import Reader
from tests.fakes.environments import PYTHON
from tests.fakes.functions import Function, Functions

from preheat.bundle.model import Bundle
from preheat.deploy import Pipeline, Prepared
from preheat.errors import ProviderError
from preheat.progress import quiet
from preheat.project.model import Project, Schedule
from preheat_providers.aws_lambda.template.names import log_group, schedule_name, stack_name

VARIANTS = applied()
CHANGES = list(zip(VARIANTS, (*VARIANTS[1:], VARIANTS[0]), strict=True))
TAKEN = Schedule(name="taken", cron="0 3 * * *")
WEIGHTS = """
[weights.model]
source = "file:model.bin"
"""
BOUNDARY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


@dataclass(frozen=True, kw_only=True)
class Changing:
    """A function that becomes each variant.

    `taken` is the name of a schedule of somebody else's, `empty` what the account has without the function.
    """

    function: Function
    bundles: Mapping[str, Bundle]
    cloud: Cloud
    reader: Reader
    taken: str
    empty: set[str]

    def become(self, variant: Applied) -> None:
        """Deploy it, and see that nothing more would change and that the account says what it is."""
        pipeline, project = self._pipeline(variant), self._project(variant)
        self._apply(pipeline.prepare(project))
        assert pipeline.prepare(project).plan.changes == ()
        assert self._facts() == variant.facts()

    def fail(self, wanted: Applied, *, back_to: Applied) -> None:
        """See that a deploy of it that fails late leaves what was there."""
        project = self._project(wanted)
        colliding = replace(project, triggers=(*project.triggers, TAKEN))
        with pytest.raises(ProviderError, match=self.taken):
            self._apply(self._pipeline(wanted).prepare(colliding))
        assert self._facts() == back_to.facts()

    def vanish(self) -> None:
        """Destroy it, and see that nothing is left."""
        receipt = self.function.provider.destroy(self.function.name, self.function.stage, report=quiet)
        assert receipt.left == ()
        assert self.cloud.inventory() == self.empty

    def _facts(self) -> Facts:
        name, stage = self.function.name, self.function.stage
        return self.reader.facts(stack_name(name, stage), log_group(name, stage))

    def _project(self, variant: Applied) -> Project:
        return variant.project(self.function.pipeline().project(self.function.root))

    def _apply(self, prepared: Prepared) -> None:
        provider = self.function.provider
        provider.apply(prepared.plan, prepared.project, prepared.bundle, report=quiet)

    def _pipeline(self, variant: Applied) -> Pipeline:
        bundle = self.bundles[variant.weights]
        return replace(self.function.pipeline(), build=lambda *_, **__: bundle)


@pytest.fixture(scope="module")
def never_deployed(functions: Functions, cloud: Cloud) -> Iterator[Changing]:
    """The function, and what its triggers and its role want to be there."""
    for bucket in ("uploads", "up.loads"):
        cloud.client("s3").create_bucket(Bucket=bucket)
    cloud.client("sqs").create_queue(QueueName="team-pictures")
    cloud.client("sqs").create_queue(QueueName="team.fifo", Attributes={"FifoQueue": "true"})
    cloud.client("iam").create_policy(Path="/team/", PolicyName="boundary", PolicyDocument=BOUNDARY)
    function = functions.fresh("plain")
    taken = schedule_name(stack_name(function.name, function.stage), TAKEN.name)
    cloud.client("scheduler").create_schedule(
        Name=taken,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"},
    )
    (function.root / "model.bin").write_bytes(b"weights")
    toml = function.root / "preheat.toml"
    toml.write_text(toml.read_text() + WEIGHTS)
    reader = Reader(cloud)
    yield Changing(
        function=function,
        bundles=bundles_of(function),
        cloud=cloud,
        reader=reader,
        taken=taken,
        empty=cloud.inventory(),
    )
    reader.close()


def bundles_of(function: Function) -> Mapping[str, Bundle]:
    """Return a bundle for each place of the weights, made for this machine's Python."""
    pipeline = function.pipeline()
    base = pipeline.project(function.root)
    one_of_each = {variant.weights: variant for variant in VARIANTS}
    return {
        place: pipeline.bundle(replace(variant.project(base), python=PYTHON))
        for place, variant in one_of_each.items()
    }


@pytest.fixture
def changing(never_deployed: Changing, monkeypatch: pytest.MonkeyPatch) -> Iterator[Changing]:
    for name in ("HUB_TOKEN", "X"):
        monkeypatch.setenv(name, "secret")
    yield never_deployed
    function = never_deployed.function
    if function.provider.status(function.name, function.stage):
        function.provider.destroy(function.name, function.stage, report=quiet)


@pytest.mark.parametrize(("first", "then"), CHANGES, ids=str)
def test_a_variant_is_made_rolled_back_changed_and_destroyed(
    changing: Changing, first: Applied, then: Applied
) -> None:
    changing.become(first)
    changing.fail(then, back_to=first)
    changing.become(then)
    changing.vanish()
