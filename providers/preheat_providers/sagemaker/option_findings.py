"""Options of `[provider.sagemaker]` that exclude one another, or that the project contradicts. Pure."""

from collections.abc import Iterator

from preheat.findings import Finding
from preheat.project.model import Project
from preheat_providers._aws.finding import Find
from preheat_providers._aws.hours import ScheduledHours, hours_findings
from preheat_providers.sagemaker.options import Options

TABLE = "provider.sagemaker"


def option_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    """Yield what is wrong with `options`, each with what to write instead."""
    if options.base_image is None:
        message = "An image needs one to build on: with a Python, and for a GPU with CUDA."
        yield find(f"{TABLE}.base_image", message, 'base_image = "REGISTRY/REPOSITORY:TAG"')
    yield from _canary_findings(project, options, find)
    if options.mode == "serverless":
        yield from _serverless_findings(options, find)
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


def _serverless_findings(options: Options, find: Find) -> Iterator[Finding]:
    given = {
        "instance_type": options.instance_type,
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
