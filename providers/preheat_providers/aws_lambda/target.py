"""The machine that Lambda is: what to build for, what ships, and what the environment says. Pure."""

from collections.abc import Mapping
from typing import Literal

from preheat.bundle.model import Target
from preheat.bundle.shipped import REQUIREMENTS
from preheat.bundle.zip.archive import Layout, Part
from preheat.interface.threads import library_environment
from preheat.project.model import HttpTrigger, Project
from preheat.runtime.cpus import threads_of
from preheat_providers.aws_lambda.limits import UNZIPPED_BYTES, smaller
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.settings import DEPENDENCIES, MB_PER_CPU, WEIGHTS
from preheat_providers.aws_lambda.shipping import MODULES
from preheat_providers.aws_lambda.weights.fetch import BUCKET, INTO

NAME = "aws_lambda"
ArchiveName = Literal["function", "libraries", "weights"]

PYTHON = "3.13"
"""What runs unless the project says otherwise: fixed, so that every machine of a team builds the same."""

FETCHING = tuple(
    f"preheat_providers.aws_lambda.weights.{name}"
    for name in ("bucket", "credentials", "fetch", "listing", "signing")
)
"""What ships to fetch weights from S3."""

SURFACE_REQUIREMENTS = ("fastapi>=0.115", "mangum>=0.19", "prometheus-client>=0.21")
"""What the HTTP surface needs; the fast path imports none of it."""

EVENT_REQUIREMENTS = ("aws-lambda-powertools>=3.4",)
"""What events need, where a trigger brings some."""

AMAZON_LINUX_2 = frozenset({"3.11"})
"""Pythons whose runtime has glibc 2.26; the others run on Amazon Linux 2023 with 2.34.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}

OURS = frozenset({"preheat", "preheat_providers"})
"""What of the code layer is ours, and changes with preheat alone."""


def target_of(project: Project, options: Options) -> Target:
    """Return what the bundle of `project` is built for."""
    python = project.python or PYTHON
    from_s3 = options.weights == "s3"
    events = any(not isinstance(trigger, HttpTrigger) for trigger in project.triggers)
    return Target(
        provider=NAME,
        platform=platform_of(python, options.architecture),
        python=python,
        entry=(*MODULES, *(FETCHING if from_s3 else ())),
        requirements=(*REQUIREMENTS, *SURFACE_REQUIREMENTS, *(EVENT_REQUIREMENTS if events else ())),
        unzipped_limit=UNZIPPED_BYTES,
        apart=("weights",) if from_s3 else (),
        smaller=smaller(options),
    )


def platform_of(python: str, architecture: str) -> str:
    """Return the name by which `uv --python-platform` knows the runtime of `python`."""
    libc = "manylinux2014" if python in AMAZON_LINUX_2 else "manylinux_2_34"
    return f"{MACHINES[architecture]}-{libc}"


def packed_layers(options: Options) -> tuple[Part, ...]:
    """Return where each layer lies when one archive holds them all: the code at the root, with the entry."""
    code, dependencies = Part(layer="code"), Part(layer="dependencies", folder=DEPENDENCIES)
    weights = Part(layer="weights", folder=WEIGHTS)
    return (code, dependencies, weights) if options.weights == "package" else (code, dependencies)


def layouts_of(options: Options, files: Mapping[str, bytes]) -> Mapping[ArchiveName, Layout]:
    """Return what each of several archives holds; `files` go to the root of the function's own.

    The function's own holds the user's code, a few kilobytes. The others are layers of Lambda, which
    unpacks them below /opt, so that a change of code sends nothing else; /opt/python is on the path.
    """
    ours = Part(layer="code", folder="python", only=OURS)
    dependencies = Part(layer="dependencies", folder=DEPENDENCIES)
    layouts: dict[ArchiveName, Layout] = {
        "function": Layout(layers=(Part(layer="code", without=OURS),), files=files),
        "libraries": Layout(layers=(ours, dependencies)),
    }
    if options.weights == "package":
        layouts["weights"] = Layout(layers=(Part(layer="weights", folder=WEIGHTS),))
    return layouts


def environment_of(project: Project, options: Options, *, bucket: str | None) -> dict[str, str]:
    """Return the variables that we add to the function's; `bucket` holds the weights that come from S3."""
    threads = threads_of(project.resources.memory_mb / MB_PER_CPU, workers=1)
    variables = library_environment(threads)
    if options.weights == "s3" and bucket is not None:
        variables |= {BUCKET: bucket, INTO: options.weights_into}
    return variables
