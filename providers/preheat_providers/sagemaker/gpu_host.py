"""The driver of the machine below a container with GPUs: which CUDA runs on it. Reads names in the bundle.

Drivers and CUDA of each image are those that botocore 1.44.5 documents with ProductionVariant, read on
2026-11-21. What runs without one named is not documented; the oldest has driver 535, which CUDA 12 runs on:
https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
"""

from preheat.bundle.model import Bundle
from preheat.project.model import Project
from preheat_providers.sagemaker.options import Ami, Options

NEWEST: Ami = "al2023-ami-sagemaker-inference-gpu-4-1"
"""Driver 580, CUDA 13.0."""

FIRST_CUDA = 13
"""The first CUDA that no older driver runs."""


def ami_of(project: Project, options: Options, bundle: Bundle) -> Ami | None:
    """Return the image of the machine: the option's, or one whose driver runs the CUDA of the packages.

    None leaves it to SageMaker.
    """
    if options.ami is not None or project.resources.gpu is None:
        return options.ami
    cuda = cuda_of(bundle)
    return NEWEST if cuda is not None and cuda >= FIRST_CUDA else None


def cuda_of(bundle: Bundle) -> int | None:
    """Return the major version of CUDA that packages bring, None where none does."""
    found = bundle.layer("dependencies").path.glob("nvidia_cuda_runtime*-*.dist-info")
    return max((int(each.name.split("-")[1].partition(".")[0]) for each in found), default=None)


def unknown_driver(project: Project, options: Options, bundle: Bundle) -> str | None:
    """Return a note for a project whose CUDA is the base image's: nobody knows which driver it needs."""
    if project.resources.gpu is None or options.ami is not None or cuda_of(bundle) is not None:
        return None
    return (
        "No package brings CUDA, and SageMaker chooses the driver of the machine. If the base has CUDA "
        f'{FIRST_CUDA} or newer: ami = "{NEWEST}" in [provider.sagemaker].'
    )
