"""The machine that Lambda is: what to build for, what ships, and what the environment says. Pure."""

from collections.abc import Mapping

from preheat.bundle.model import LayerName, Target
from preheat.bundle.shipped import REQUIREMENTS
from preheat.interface.threads import library_environment
from preheat.project.model import HttpTrigger, Project
from preheat.runtime.cpus import threads_of
from preheat_providers.aws_lambda.limits import UNZIPPED_BYTES, smaller
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.settings import MB_PER_CPU
from preheat_providers.aws_lambda.settings import WEIGHTS as WEIGHTS_FOLDER
from preheat_providers.aws_lambda.weights.fetch import BUCKET, INTO

NAME = "aws_lambda"
PYTHON = "3.13"
"""What runs unless the project says otherwise: fixed, so that every machine of a team builds the same."""

ENTRY = "preheat_providers.aws_lambda.entry"
WEIGHTS = tuple(
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

FOLDERS: Mapping[LayerName, str] = {"code": "", "dependencies": "", "weights": WEIGHTS_FOLDER}
"""Where each layer lies in the archive: what is imported at the root, which is on the path from the start."""


def target_of(project: Project, options: Options) -> Target:
    """Return what the bundle of `project` is built for."""
    python = project.python or PYTHON
    from_s3 = options.weights == "s3"
    events = any(not isinstance(trigger, HttpTrigger) for trigger in project.triggers)
    return Target(
        provider=NAME,
        platform=platform_of(python, options.architecture),
        python=python,
        entry=(ENTRY, *(WEIGHTS if from_s3 else ())),
        requirements=(*REQUIREMENTS, *SURFACE_REQUIREMENTS, *(EVENT_REQUIREMENTS if events else ())),
        unzipped_limit=UNZIPPED_BYTES,
        apart=("weights",) if from_s3 else (),
        smaller=smaller(options),
    )


def platform_of(python: str, architecture: str) -> str:
    """Return the name by which `uv --python-platform` knows the runtime of `python`."""
    libc = "manylinux2014" if python in AMAZON_LINUX_2 else "manylinux_2_34"
    return f"{MACHINES[architecture]}-{libc}"


def packed_layers(options: Options) -> Mapping[LayerName, str]:
    """Return the layers that go into the archive, each with its folder there."""
    return {
        name: folder for name, folder in FOLDERS.items() if name != "weights" or options.weights == "package"
    }


def environment_of(project: Project, options: Options, *, bucket: str | None) -> dict[str, str]:
    """Return the variables that we add to the function's; `bucket` holds the weights that come from S3."""
    threads = threads_of(project.resources.memory_mb / MB_PER_CPU, workers=1)
    variables = library_environment(threads)
    if options.weights == "s3" and bucket is not None:
        variables |= {BUCKET: bucket, INTO: options.weights_into}
    return variables
