"""The machine that Lambda is: what to build for, what ships, and what the environment says. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Literal

from preheat.bundle.model import Bundle, Target
from preheat.bundle.shipped import REQUIREMENTS
from preheat.bundle.zip.archive import Layout, Part
from preheat.interface.threads import library_environment
from preheat.project.model import HttpTrigger, Project
from preheat.runtime.cpus import threads_of
from preheat_providers.aws_lambda.container import CLIENT_REQUIREMENTS, PLATFORMS, SDK_REQUIREMENTS
from preheat_providers.aws_lambda.limits import smaller, unzipped_limit
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.shipped.settings import CONTRACT, MB_PER_CPU, TRACING, WEIGHTS
from preheat_providers.aws_lambda.shipped.weights.fetch import INTO
from preheat_providers.aws_lambda.shipped.weights.listing import LISTING, Item, listing_json
from preheat_providers.aws_lambda.shipping import CONTAINER, MODULES

NAME = "aws_lambda"
ArchiveName = Literal["function", "libraries", "weights"]

PYTHON = "3.13"
"""What runs unless the project says otherwise: fixed, so that every machine of a team builds the same."""

FETCHING = tuple(
    f"preheat_providers.aws_lambda.shipped.weights.{name}"
    for name in ("bucket", "credentials", "fetch", "listing", "signing")
)
"""What ships to fetch weights from S3."""

SURFACE_REQUIREMENTS = ("fastapi>=0.115", "mangum>=0.19", "prometheus-client>=0.21")
"""What the HTTP surface needs; the fast path imports none of it."""

EVENT_REQUIREMENTS = ("aws-lambda-powertools>=3.4",)
"""What events need, where a trigger brings some."""

TRACING_REQUIREMENTS = ("aws-lambda-powertools[tracer]>=3.4",)
"""What X-Ray needs, where tracing is on."""

AMAZON_LINUX_2 = frozenset({"3.11"})
"""Pythons whose runtime has glibc 2.26; the others run on Amazon Linux 2023 with 2.34.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}

IMPORTED = "python"
"""The folder of a layer that is on Python's path."""

OURS = frozenset({"preheat", "preheat_providers"})
"""What of the code layer is ours, and changes with preheat alone."""


def target_of(project: Project, options: Options) -> Target:
    """Return what the bundle of `project` is built for."""
    python = project.python or PYTHON
    from_s3, image = options.weights == "s3", options.is_image
    events = any(not isinstance(trigger, HttpTrigger) for trigger in project.triggers)
    architecture = options.architecture
    return Target(
        provider=NAME,
        platform=PLATFORMS[architecture] if image else platform_of(python, architecture),
        python=python,
        entry=(*MODULES, *(FETCHING if from_s3 else ()), *((CONTAINER,) if image else ())),
        requirements=(
            *REQUIREMENTS,
            *SURFACE_REQUIREMENTS,
            *(EVENT_REQUIREMENTS if events else ()),
            *(TRACING_REQUIREMENTS if options.tracing else ()),
            *(CLIENT_REQUIREMENTS if image else ()),
            *(SDK_REQUIREMENTS if image and (events or options.jobs) else ()),
        ),
        unzipped_limit=unzipped_limit(options),
        apart=("weights",) if from_s3 else (),
        smaller=smaller(options),
    )


def platform_of(python: str, architecture: str) -> str:
    """Return the name by which `uv --python-platform` knows the runtime of `python`."""
    libc = "manylinux2014" if python in AMAZON_LINUX_2 else "manylinux_2_34"
    return f"{MACHINES[architecture]}-{libc}"


def layouts_of(bundle: Bundle, options: Options, items: Iterable[Item] = ()) -> Mapping[ArchiveName, Layout]:
    """Return what each archive of `bundle` holds; `items` are the weights that the function fetches from S3.

    The function's own holds the user's code and what the build has learned of it, a few kilobytes. The
    others are layers of Lambda, which unpacks them below /opt, so that a change of code sends nothing
    else; /opt/python is on the path:
    https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
    """
    ours = Part(layer="code", folder=IMPORTED, only=OURS)
    dependencies = Part(layer="dependencies", folder=IMPORTED)
    listed = tuple(items)
    layouts: dict[ArchiveName, Layout] = {
        "function": Layout(
            layers=(Part(layer="code", without=OURS),),
            files={
                **({LISTING: listing_json(listed).encode()} if listed else {}),
                **({CONTRACT: json.dumps(dict(bundle.contract)).encode()} if bundle.contract else {}),
            },
        ),
        "libraries": Layout(layers=(ours, dependencies)),
    }
    if options.weights == "package" and bundle.layer("weights").bytes:
        layouts["weights"] = Layout(layers=(Part(layer="weights", folder=WEIGHTS),))
    return layouts


def environment_of(project: Project, options: Options) -> dict[str, str]:
    """Return the variables that the machine and the weights of `project` need, beside our settings."""
    threads = threads_of(project.resources.memory_mb / MB_PER_CPU, workers=1)
    into = {INTO: options.weights_into} if options.weights == "s3" else {}
    tracing = {TRACING: "1"} if options.tracing else {}
    return library_environment(threads) | into | tracing
