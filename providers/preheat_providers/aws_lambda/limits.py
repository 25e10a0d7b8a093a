"""What Lambda takes, as data, and what of a project it does not: findings, before anything is built or sent.

The figures are those of the quotas page, read on 2026-11-21; "MB" there means 1,024 KB:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from preheat.findings import Finding
from preheat.project.model import ObjectCreated, Project, QueueTrigger, Schedule
from preheat_providers._aws.finding import Find, finder
from preheat_providers._aws.templates.cron import inexpressible
from preheat_providers.aws_lambda.option_findings import TABLE, option_findings
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.template.names import FUNCTION_NAME_CHARACTERS, stack_name

MB = 1 << 20

UNZIPPED_BYTES = 250 * MB
"""A package with its layers and runtimes, unpacked."""

DIRECT_UPLOAD_BYTES = 50 * MB
"""A package sent by the API; larger ones go through S3, as all of ours do."""

IMAGE_BYTES = 10_240 * MB
"""A container image, uncompressed."""

TMP_MB = (512, 10_240)
MEMORY_MB = (128, 10_240)
TIMEOUT_S = (1, 900)

REQUEST_BYTES = RESPONSE_BYTES = 6 * MB
"""The JSON event of a synchronous call, in which a binary body is base64; and its answer."""

STREAMED_BYTES = 200 * MB
"""A streamed answer, which the managed Python runtimes do not offer:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html"""

EVENT_BYTES = 1 * MB
"""The event of an asynchronous call."""

OBJECT_SHARE = 0.5
"""Of the memory, what an uploaded object may take: it is read whole, the interpreter and the model need the
rest, and the kernel ends a function beyond its memory without a word."""

ENVIRONMENT_BYTES = 4 * 1024
"""All variables together, names and values."""

SNAPSTART_TMP_MB = 512
SNAPSTART_PYTHON = (3, 12)
"""The first Python with SnapStart, and the most /tmp: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"""

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

QUEUE_CONCURRENCY = (2, 1000)
"""How many calls at once a mapping of a queue can be held to. What is reserved has to hold those of all
queues, or Lambda throttles calls and messages count attempts that never ran:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html, read on 2026-11-21."""

QUEUE = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?")
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"""

VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
RESERVED = re.compile(
    r"AWS_(?:REGION|DEFAULT_REGION|EXECUTION_ENV|ACCESS_KEY|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN"
    r"|LAMBDA_(?:FUNCTION_(?:NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(?:GROUP|STREAM)_NAME|RUNTIME_API))"
    r"|LAMBDA_(?:TASK_ROOT|RUNTIME_DIR)"
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

NEXT_RUNG = (
    "Trimming is done already. Next, let the function fetch its weights from S3 when it starts: "
    'weights = "s3" in [provider.aws_lambda]. Where libraries alone are too large, a container image holds '
    '10 GB: package = "image" there.'
)
IMAGE_RUNG = (
    "Trimming is done already, and weights from S3 do not count. A container image holds 10 GB: "
    'package = "image" and weights = "package" in [provider.aws_lambda].'
)
LAST_RUNG = (
    "Trimming is done already, and no function of Lambda holds more than an image. Drop what the model does "
    "not need from `requirements`, or choose a smaller model."
)


def smaller(options: Options) -> str:
    """Return what to do about a package that is too large: the next rung of the ladder."""
    if options.is_image:
        return LAST_RUNG
    return IMAGE_RUNG if options.weights == "s3" else NEXT_RUNG


def unzipped_limit(options: Options) -> int:
    """Return how much a bundle may unpack to. An image's base counts too, which is known later."""
    return IMAGE_BYTES if options.is_image else UNZIPPED_BYTES


def queue_concurrency(project: Project, options: Options) -> int:
    """Return how many calls at once each queue gets, of a trigger on uploads or on messages."""
    least, most = QUEUE_CONCURRENCY
    return max(least, min(project.scaling.max, options.reserved_concurrency or most, most))


def project_findings(
    project: Project, options: Options, *, environment: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Return what of `project` Lambda does not take; `environment` holds the variables that we add."""
    find = finder(project)
    return (
        *_resource_findings(project, find),
        *_runtime_findings(project, options, find),
        *_variable_findings(project, environment, find),
        *_name_findings(project, find),
        *_trigger_findings(project, find),
        *_reserve_findings(project, options, find),
        *option_findings(options, find),
    )


def _resource_findings(project: Project, find: Find) -> Iterator[Finding]:
    resources = project.resources
    for name, value, (least, most), unit in (
        ("memory_mb", resources.memory_mb, MEMORY_MB, "MB of memory"),
        ("timeout_s", resources.timeout_s, TIMEOUT_S, "seconds"),
        ("tmp_mb", resources.tmp_mb, TMP_MB, "MB in /tmp"),
    ):
        if not least <= value <= most:
            nearest = least if value < least else most
            message = f"resources.{name} is {value:g}, and a Lambda function has {least} to {most} {unit}."
            yield find(f"resources.{name}", message, f"{name} = {nearest}")
    if resources.gpu is not None:
        message = f"resources.gpu is {resources.gpu!r}, and Lambda has no GPU."
        yield find("resources.gpu", message, "preheat deploy --provider local  # or drop gpu")
    yield from _body_findings(project, find)


def _body_findings(project: Project, find: Find) -> Iterator[Finding]:
    """Yield what is wrong with the limit of a body, which is that of an uploaded object as well."""
    uploads = any(isinstance(trigger, ObjectCreated) for trigger in project.triggers)
    memory_mb = project.resources.memory_mb
    most_mb = int(memory_mb * OBJECT_SHARE) if uploads else REQUEST_BYTES // MB
    body_mb = project.limits.body_bytes / MB
    if body_mb > most_mb:
        why = (
            f"an uploaded object is read whole, into half of resources.memory_mb, {memory_mb}, at most"
            if uploads
            else f"Lambda takes {most_mb} MB"
        )
        yield find("limits.body_mb", f"limits.body_mb is {body_mb:g}, and {why}.", f"body_mb = {most_mb}")


def _runtime_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    if options.is_image:
        return  # its base brings the Python
    if project.python is not None and project.python not in PYTHONS:
        message = f"python is {project.python!r}, and Lambda runs {', '.join(PYTHONS)}."
        yield find("python", message, f'python = "{PYTHONS[-2]}"')
    if options.warm != "snapstart":
        return
    tmp_mb = project.resources.tmp_mb
    if tmp_mb > SNAPSTART_TMP_MB:
        message = f"SnapStart takes {SNAPSTART_TMP_MB} MB of /tmp, and resources.tmp_mb is {tmp_mb}."
        fix = 'tmp_mb = 512  # with weights_into = "memory" in [provider.aws_lambda]'
        yield find("resources.tmp_mb", message, fix)
    if project.python in PYTHONS and _version(project.python) < SNAPSTART_PYTHON:
        message = f"SnapStart needs Python 3.12 or later, and python is {project.python!r}."
        yield find("python", message, f'python = "{PYTHONS[-2]}"')


def _variable_findings(project: Project, environment: Mapping[str, str], find: Find) -> Iterator[Finding]:
    for table, names in (("env", project.env), ("secrets", project.secrets)):
        for name in sorted(names):
            if RESERVED.fullmatch(name):
                yield find(
                    f"{table}.{name}",
                    f"{name} is set by Lambda, which refuses another value.",
                    f"remove {name}",
                )
            elif not VARIABLE.fullmatch(name):
                message = (
                    f"{name} is no variable for Lambda: two letters, digits or _ at least, a letter first."
                )
                yield find(f"{table}.{name}", message, f"MODEL_{name.strip('_')} = ...")
    values = {**project.env, **environment}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in values.items())
    if size > ENVIRONMENT_BYTES:
        longest = max(project.env, key=lambda name: len(project.env[name]), default="")
        message = (
            f"The variables weigh {size:,} bytes together, ours included, and Lambda takes "
            f"{ENVIRONMENT_BYTES:,}: {size - ENVIRONMENT_BYTES:,} too many. The longest is {longest}."
        )
        yield find(f"env.{longest}" if longest else "env", message, "move it to a file of the project")


def _name_findings(project: Project, find: Find) -> Iterator[Finding]:
    name = stack_name(project.name, project.stage)
    too_long = len(name) - FUNCTION_NAME_CHARACTERS
    if too_long > 0:
        message = (
            f"The function would be called {name}, and Lambda takes {FUNCTION_NAME_CHARACTERS} characters: "
            f"{too_long} too many. Shorten the project's name or the stage's."
        )
        shorter = project.name[: max(1, len(project.name) - too_long)].rstrip("-")
        yield find("name", message, f'name = "{shorter}"')


def _trigger_findings(project: Project, find: Find) -> Iterator[Finding]:
    for trigger in project.triggers:
        key = f"triggers.{trigger.name}"
        if isinstance(trigger, QueueTrigger) and not QUEUE.fullmatch(trigger.queue):
            message = (
                f"{key}.queue is {trigger.queue!r}, which no queue of SQS is called: 1 to 80 letters, "
                "digits, - and _, then .fifo where it is one. An address or an ARN is no name."
            )
            yield find(f"{key}.queue", message, f'queue = "{_queue_name(trigger.queue)}"')
        if isinstance(trigger, Schedule) and (problem := inexpressible(trigger.cron)):
            message = f"{key}.cron is {trigger.cron!r}, {problem}."
            yield find(f"{key}.cron", message, f'cron = "{_one_field_for_days(trigger.cron)}"')


def _reserve_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    reserved = options.reserved_concurrency
    queues = sum(isinstance(trigger, ObjectCreated | QueueTrigger) for trigger in project.triggers)
    each = queue_concurrency(project, options)
    if reserved is None or reserved >= queues * each:
        return
    message = (
        f"reserved_concurrency is {reserved}, and queues of triggers call up to {queues * each} at once: "
        f"{each} for each of {queues} (scaling.max, at least {QUEUE_CONCURRENCY[0]})."
    )
    enough = each
    if queues > 1:  # more that is reserved lets each have more, up to scaling.max
        enough = queues * queue_concurrency(project, replace(options, reserved_concurrency=None))
    yield find(f"{TABLE}.reserved_concurrency", message, f"reserved_concurrency = {enough}")


def _queue_name(written: str) -> str:
    last = re.split("[:/]", written)[-1]
    return last if QUEUE.fullmatch(last) else "my-queue"


def _one_field_for_days(cron: str) -> str:
    minute, hour, day, month, _ = cron.split()
    return f"{minute} {hour} {day} {month} *"


def _version(python: str) -> tuple[int, ...]:
    return tuple(int(part) for part in python.split("."))


def capabilities() -> Mapping[str, Any]:
    """Return the part of the provider's Capabilities that follows from the quotas."""
    return {
        "max_body_bytes": REQUEST_BYTES,
        "max_response_bytes": RESPONSE_BYTES,
        "max_timeout_s": float(TIMEOUT_S[1]),
        "max_memory_mb": MEMORY_MB[1],
        "max_unzipped_bytes": UNZIPPED_BYTES,
    }
