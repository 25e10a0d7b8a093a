"""The variables of a function: what the target brings, our settings, the project's own, and its secrets."""

from collections.abc import Iterator, Mapping
from typing import Any

from preheat.project.model import ObjectCreated, Project, QueueTrigger, Schedule
from preheat.runtime.objects.uploads import sink_of
from preheat_providers._aws.parameters import ARTIFACT_BUCKET, TOKEN_PARAMETER, declared_parameters
from preheat_providers._aws.templates.intrinsics import ref
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.shipped.settings import (
    JOBS_BUCKET,
    TABLE,
    TOKEN,
    Queue,
    Settings,
    Tick,
    Triggers,
    Upload,
)
from preheat_providers.aws_lambda.shipped.weights.fetch import BUCKET
from preheat_providers.aws_lambda.template.names import secret_parameter
from preheat_providers.aws_lambda.template.wanted import Wanted

REFERENCE_CHARACTERS = 96
"""A name that CloudFormation makes up: the stack's, at most 64, the logical id, and 13 random characters."""


def variables_of(wanted: Wanted) -> dict[str, Any]:
    """Return each variable's value, or the reference to it, in order of their names."""
    variables: dict[str, Any] = {
        **wanted.environment,
        **Settings(stage=wanted.project.stage, triggers=triggers_of(wanted)).environment(),
        **wanted.project.env,
        **dict(_references(wanted)),
    }
    return dict(sorted(variables.items()))


def own_variables(project: Project, options: Options, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that we add to the project's, references as long as what they may become.

    For the check of their size, before there is a bundle.
    """
    wanted = Wanted(project=project, options=options, keys={}, digest="", environment=environment)
    theirs = {*project.env, *project.secrets}
    return {
        name: value if isinstance(value, str) else "x" * REFERENCE_CHARACTERS
        for name, value in variables_of(wanted).items()
        if name not in theirs
    }


def triggers_of(wanted: Wanted) -> Triggers:
    """Return the triggers as the function reads them."""
    return Triggers(
        uploads=tuple(map(_upload, wanted.uploads)),
        queues=tuple(map(_queue, wanted.queues)),
        ticks=tuple(map(_tick, wanted.schedules)),
    )


def parameters_of(wanted: Wanted) -> dict[str, Any]:
    """Return the parameters of the stack: the artifact bucket, and what nobody may read in the template."""
    declared = declared_parameters(wanted.project.secrets, token=wanted.token)
    if wanted.image is not None:
        del declared[ARTIFACT_BUCKET]  # nothing of an image lies there
    return declared


def _references(wanted: Wanted) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if wanted.token:
        yield TOKEN, ref(TOKEN_PARAMETER)
    if wanted.options.weights == "s3":
        yield BUCKET, ref(ARTIFACT_BUCKET)
    if wanted.has_table:
        yield TABLE, ref("Table")
    if wanted.options.jobs:
        yield JOBS_BUCKET, ref("JobsBucket")
    for variable in wanted.project.secrets:
        yield variable, ref(secret_parameter(variable))


def _upload(trigger: ObjectCreated) -> Upload:
    bucket, prefix = sink_of(trigger.output)
    return Upload(
        name=trigger.name,
        bucket=trigger.bucket,
        prefix=trigger.prefix,
        suffix=trigger.suffix,
        output=f"{bucket}/{prefix}",
    )


def _queue(trigger: QueueTrigger) -> Queue:
    return Queue(name=trigger.name, queue=trigger.queue)


def _tick(trigger: Schedule) -> Tick:
    return Tick(name=trigger.name, input=trigger.input)
