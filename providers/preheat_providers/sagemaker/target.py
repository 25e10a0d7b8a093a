"""The machine that an instance of SageMaker is: what to build for, and how much it takes at once. Pure."""

from collections.abc import Mapping
from typing import Any

from preheat.bundle.model import LayerName, Target
from preheat.project.model import Project
from preheat_providers.sagemaker.container import container_target
from preheat_providers.sagemaker.limits import PYTHON
from preheat_providers.sagemaker.options import Options

PLATFORM = "x86_64-manylinux_2_28"
"""Every machine of the table is x86_64; the base image brings the libc, which the image builder checks."""

MOST_CONCURRENT = 1000
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceClientConfig.html"""


def target_of(project: Project, options: Options) -> Target:
    """Return what the bundle of `project` is built for; weights that come from S3 go apart."""
    apart: tuple[LayerName, ...] = ("weights",) if options.weights == "s3" else ()
    return container_target(platform=PLATFORM, python=project.python or PYTHON, apart=apart)


def concurrent_of(project: Project, options: Options, contract: Mapping[str, Any] | None) -> int | None:
    """Return how many requests one instance takes at once; None where nobody says, and SageMaker chooses.

    The option decides, then `scaling.concurrency`, then the largest batch of the handler's `contract`.
    """
    batching = (contract or {}).get("batching") or {}
    chosen = options.max_concurrent or project.scaling.concurrency or batching.get("max_size")
    return None if chosen is None else min(MOST_CONCURRENT, int(chosen))
