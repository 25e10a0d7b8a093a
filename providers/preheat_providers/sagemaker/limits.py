"""What SageMaker takes, as data, and what of a project it does not: findings, before anything is built.

The figures were read on 2026-11-21:
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from preheat.findings import Finding
from preheat.interface.manifest import Limits
from preheat.project.model import ObjectCreated, Project, QueueTrigger, Schedule
from preheat.project.names import nearest
from preheat_providers._aws.finding import Find, finder
from preheat_providers.sagemaker.front.exchange import REQUEST_BYTES
from preheat_providers.sagemaker.instances import (
    INSTANCES,
    Instance,
    cheapest,
    fits,
    gpu_need,
    instance_of,
    is_known,
    kinds,
    unusable,
)
from preheat_providers.sagemaker.option_findings import option_findings
from preheat_providers.sagemaker.options import Mode, Options
from preheat_providers.sagemaker.template.names import ENDPOINT_NAME_CHARACTERS, endpoint_name

MB = 1 << 20

SERVERLESS_BYTES = 4 * MB
"""Of a request or an answer. A real-time endpoint takes 25 MB since 2025, which no Function URL does."""

TIMEOUT_S: Mapping[Mode, int] = {"async": 3600, "realtime": 60, "serverless": 60}

SERVERLESS_MB = (1024, 6144)
SERVERLESS_TMP_MB = 5 * 1024
TMP_MB = 512 * 1024
IMAGE_BYTES = 10 * 1024 * MB
"""A container image of a serverless endpoint; others may be larger:
https://docs.aws.amazon.com/sagemaker/latest/dg/docker-containers-troubleshooting.html"""

PYTHON = "3.12"
"""What runs unless the project says otherwise: fixed, so that every machine of a team builds the same."""


def serverless_memory_mb(project: Project) -> int:
    """Return the memory of a serverless endpoint: whole GB, as much as the project asks for at least."""
    least, most = SERVERLESS_MB
    return min(most, max(least, 1024 * ceil(project.resources.memory_mb / 1024)))


def project_findings(project: Project, options: Options) -> tuple[Finding, ...]:
    """Return what of `project` SageMaker does not take."""
    find = finder(project)
    return (
        *_resource_findings(project, options, find),
        *_machine_findings(project, options, find),
        *_scaling_findings(project, options, find),
        *_name_findings(project, find),
        *_trigger_findings(project, options, find),
        *option_findings(project, options, find),
    )


def _resource_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    resources, most = project.resources, TIMEOUT_S[options.mode]
    if resources.timeout_s > most:
        message = (
            f"resources.timeout_s is {resources.timeout_s:g}, and a request ends at {most} s "
            f'with mode = "{options.mode}".'
        )
        fix = f"timeout_s = {most}" if options.mode == "async" else 'mode = "async"  # [provider.sagemaker]'
        yield find("resources.timeout_s", message, fix)
    serverless = options.mode == "serverless"
    most_mb, what = (SERVERLESS_TMP_MB, "a serverless endpoint") if serverless else (TMP_MB, "an instance")
    if resources.tmp_mb > most_mb:
        message = f"resources.tmp_mb is {resources.tmp_mb}, and {what} has {most_mb} at most."
        yield find("resources.tmp_mb", message, f"tmp_mb = {most_mb}")
    asked, most_bytes = project.limits.body_bytes, body_bytes(options.mode)
    if options.mode != "async" and asked > max(most_bytes, Limits().body_bytes):
        message = f"limits.body_bytes is {asked:,}, and a {options.mode} endpoint takes {most_bytes:,}."
        yield find("limits.body_bytes", message, f"body_bytes = {most_bytes}")


def body_bytes(mode: Mode) -> int:
    """Return the largest body of a request."""
    return SERVERLESS_BYTES if mode == "serverless" else REQUEST_BYTES


def _machine_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    if options.mode == "serverless":
        yield from _serverless_findings(project, find)
        return
    name, key = options.instance_type, "provider.sagemaker.instance_type"
    if name is not None and name not in INSTANCES:
        if (problem := unusable(name)) is not None:
            yield find(key, problem, _other_machine(project, options, near=nearest(name, INSTANCES)))
        return
    need = gpu_need(project.resources.gpu)
    if need is not None and need.kind is not None and need.kind not in kinds():
        message = f"resources.gpu is {project.resources.gpu!r}, and preheat knows {', '.join(kinds())} here."
        yield find("resources.gpu", message, f'gpu = "{kinds()[1]}"')
        return
    if name is None:
        if cheapest(project, options) is None:
            message = f"No machine has {_asked(project)}. {_largest(project)}"
            yield find("resources", message, "ask for less in [resources]")
        return
    machine = INSTANCES[name]
    if not fits(machine, project):
        message = f"{machine.name} has {_size(machine)}, and [resources] asks for {_asked(project)}."
        yield find(key, message, _other_machine(project, options))


def _other_machine(project: Project, options: Options, *, near: str | None = None) -> str:
    suggested = near or (machine.name if (machine := cheapest(project, options)) else None)
    return f'instance_type = "{suggested}"' if suggested else "ask for less in [resources]"


def _serverless_findings(project: Project, find: Find) -> Iterator[Finding]:
    if project.resources.gpu is not None:
        message = f"resources.gpu is {project.resources.gpu!r}, and a serverless endpoint has no GPU."
        yield find("resources.gpu", message, 'mode = "async"  # [provider.sagemaker]')
    if project.resources.memory_mb > SERVERLESS_MB[1]:
        message = f"resources.memory_mb is {project.resources.memory_mb}, and serverless ends at 6144 MB."
        yield find("resources.memory_mb", message, "memory_mb = 6144")


def _asked(project: Project) -> str:
    resources = project.resources
    gpu = f", GPU {resources.gpu}" if resources.gpu else " and no GPU"
    return f"{resources.cpu:g} processors, {resources.memory_mb} MB{gpu}"


def _largest(project: Project) -> str:
    """Return what there is instead: the machine with the most memory among those with such GPUs, or none."""
    need = gpu_need(project.resources.gpu)
    alike = [each for each in INSTANCES.values() if (need is None) == (each.gpus == 0)]
    if need is not None:
        alike = [each for each in alike if need.kind in (None, each.gpu)]
    most = max(alike, key=lambda each: (each.memory_mb, each.gpus))
    return f"{most.name} has the most: {_size(most)}."


def _size(machine: Instance) -> str:
    gpus = f"{machine.gpus} × {machine.gpu}" if machine.gpu else "no GPU"
    return f"{machine.cpus} processors, {machine.memory_mb} MB and {gpus}"


def _scaling_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    scaling = project.scaling
    if options.mode == "realtime" and max(scaling.min, scaling.warm) == 0:
        message = (
            'mode = "realtime" keeps at least one instance, which is paid by the hour, and scaling.min is 0.'
        )
        yield find("scaling.min", message, 'min = 1  # or mode = "async", which scales to zero')
    if options.mode == "serverless" and max(scaling.min, scaling.warm) > 0:
        message = "A serverless endpoint has no instances to keep; scaling.min and scaling.warm are 0 there."
        yield find("scaling.min", message, "min = 0")


def _name_findings(project: Project, find: Find) -> Iterator[Finding]:
    name = endpoint_name(project.name, project.stage)
    too_long = len(name) - ENDPOINT_NAME_CHARACTERS
    if too_long > 0:
        message = (
            f"The endpoint would be called {name}, and SageMaker takes {ENDPOINT_NAME_CHARACTERS} "
            f"characters: {too_long} too many. Shorten the project's name or the stage's."
        )
        shorter = project.name[: max(1, len(project.name) - too_long)].rstrip("-")
        yield find("name", message, f'name = "{shorter}"')
    elif name.endswith("-"):
        message = f"The endpoint would be called {name}, and SageMaker takes no dash at the end."
        yield find("name", message, "no dash at the end of the stage")


def _trigger_findings(project: Project, options: Options, find: Find) -> Iterator[Finding]:
    for trigger in project.triggers:
        key = f"triggers.{trigger.name}"
        if isinstance(trigger, QueueTrigger | Schedule):
            kind = "queue" if isinstance(trigger, QueueTrigger) else "schedule"
            message = f"{key} is a {kind}, and an endpoint of SageMaker has none; Lambda has."
            yield find(key, message, "preheat deploy --provider aws_lambda  # or remove the trigger")
        if isinstance(trigger, ObjectCreated) and options.mode != "async":
            message = f"{key} reads uploads in place, which only an asynchronous endpoint does."
            yield find(key, message, 'mode = "async"  # [provider.sagemaker]')


def unknown_price(project: Project, options: Options) -> str | None:
    """Return a note for a machine whose price preheat does not know, None where it does."""
    machine = instance_of(project, options)
    if machine is None or machine.price(options.region) is not None:
        return None
    note = (
        f"The price of {machine.name} is not in preheat's table: https://aws.amazon.com/sagemaker/ai/pricing/"
    )
    if is_known(machine):
        return note
    return f"{note}. Nor is its size: that it holds what [resources] asks for is not checked."


def capabilities() -> Mapping[str, Any]:
    """Return the part of the provider's Capabilities that follows from the quotas, for the default mode.

    Of memory a machine with GPUs may have more.
    """
    return {
        "max_body_bytes": REQUEST_BYTES,
        "max_response_bytes": None,
        "max_timeout_s": float(TIMEOUT_S["async"]),
        "max_memory_mb": max(each.memory_mb for each in INSTANCES.values() if each.gpus == 0),
        "max_unzipped_bytes": None,
    }
