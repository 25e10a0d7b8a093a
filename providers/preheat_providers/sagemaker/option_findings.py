"""Options of `[provider.sagemaker]` that exclude one another, or that the project contradicts. Pure."""

from collections.abc import Iterator

from preheat.findings import Finding
from preheat.project.model import ObjectCreated, Project
from preheat_providers._aws.finding import Find
from preheat_providers._aws.hours import ScheduledHours, hours_findings
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.template.names import object_prefix

TABLE = "provider.sagemaker"


def option_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    """Yield what is wrong with `options`, each with what to write instead."""
    yield from _canary_findings(project, options, find)
    yield from _loop_findings(project, options, find)
    if options.mode == "serverless":
        yield from _serverless_findings(options, find)
    elif options.ami is not None and "-gpu-" in options.ami and project.resources.gpu is None:
        message = f"{options.ami} is for machines with GPUs, and resources.gpu asks for none."
        yield find(f"{TABLE}.ami", message, "remove ami")
    if options.notify and options.mode != "async":
        message = f'notify tells of jobs, and mode = "{options.mode}" has none.'
        yield find(f"{TABLE}.notify", message, 'mode = "async"')
    for number, hours in enumerate(options.schedule):
        yield from _hours_findings(f"{TABLE}.schedule[{number}]", hours, options, find)


def _canary_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    least = max(project.scaling.min, project.scaling.warm)
    if options.canary_percent is not None and least < 2 and options.mode != "serverless":
        message = f"A canary is at most half of the instances, and scaling.min keeps {least}."
        yield find(f"{TABLE}.canary_percent", message, "min = 2  # [scaling], or remove canary_percent")


def _loop_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    """Yield each trigger that would run on what jobs leave in the bucket of the project's own."""
    ours = object_prefix(project.name, project.stage)
    for trigger in project.triggers:
        if not isinstance(trigger, ObjectCreated) or trigger.bucket != options.output_bucket:
            continue
        if trigger.prefix.startswith(ours) or ours.startswith(trigger.prefix):
            message = (
                f"triggers.{trigger.name} runs on bucket {trigger.bucket!r}, prefix {trigger.prefix!r}, and "
                f"jobs leave inputs, records and results below {ours} there."
            )
            yield find(
                f"triggers.{trigger.name}.prefix", message, 'prefix = "in/"  # or another output_bucket'
            )


def _serverless_findings(options: Options, find: Find) -> Iterator[Finding]:
    given = {
        "instance_type": options.instance_type,
        "ami": options.ami,
        "max_concurrent": options.max_concurrent,
        "schedule": options.schedule or None,
        "canary_percent": options.canary_percent,
    }
    for name, value in given.items():
        if value is not None:
            message = f"{name} is for instances, and a serverless endpoint has none of its own."
            yield find(f"{TABLE}.{name}", message, f"remove {name}")
    if options.weights == "s3":
        message = "A serverless endpoint has its weights in the image."
        yield find(f"{TABLE}.weights", message, 'weights = "image"')


def _hours_findings(key: str, hours: ScheduledHours, options: Options, find: Find) -> Iterator[Finding]:
    yield from hours_findings(key, hours, find)
    if hours.max < max(hours.min, 1):
        message = f"max is {hours.max}, and has to be at least min and 1."
        yield find(key, message, f"max = {max(hours.min, 1)}")
    if hours.min == 0 and options.mode == "realtime":
        yield find(key, 'min is 0, and mode = "realtime" keeps at least one instance.', "min = 1")
