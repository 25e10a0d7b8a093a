"""The container that SageMaker runs, as data for the image's configuration, and what ships in it. Pure.

SageMaker's contract is described in `starting`; this side says it to the image builder and to the bundle.
"""

from collections.abc import Mapping
from types import MappingProxyType

from preheat.bundle.image.container import CODE, PORT, Container
from preheat.bundle.model import LayerName, Target
from preheat.bundle.serving import HTTP_REQUIREMENTS
from preheat.bundle.shipped import REQUIREMENTS
from preheat.project.model import Project
from preheat_providers.sagemaker.shipped.settings import PROVIDER

_HERE = "preheat_providers.sagemaker.shipped"

ENTRY = tuple(f"{_HERE}.{name}" for name in ("entry", "starting", "settings"))
"""What ships of this provider. It imports the server, and so that ships too."""

SCRIPT = "preheat_providers/sagemaker/shipped/entry.py"
"""Where the entry lies in the code layer."""

ROOT_USER = "0"
"""SageMaker "expects all containers to run with root users" (`starting` has the page)."""

LABELS: Mapping[str, str] = {"com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true"}
"""That the container listens where SAGEMAKER_BIND_TO_PORT says, which an inference pipeline needs."""

GPU_ENV: Mapping[str, str] = MappingProxyType(
    {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
)
"""What NVIDIA's container runtime looks for, which only its own images have:
https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html"""


def container_target(*, platform: str, python: str, apart: tuple[LayerName, ...] = ()) -> Target:
    """Return the target of an image for SageMaker; layers in `apart` do not go into it."""
    return Target(
        provider=PROVIDER,
        platform=platform,
        python=python,
        entry=ENTRY,
        requirements=(*REQUIREMENTS, *HTTP_REQUIREMENTS),
        apart=apart,
    )


def container_of(project: Project) -> Container:
    """Return a container that serves `project`. No token: who may call, SageMaker checks.

    What the deploy alone knows comes with the model's environment: see `settings`.
    """
    defaults = GPU_ENV if project.resources.gpu is not None else {}
    return Container(
        command=("-I", "-S", "-B", "-X", "utf8", f"/{CODE}/{SCRIPT}"),
        env={**defaults, **project.env},
        labels={"org.opencontainers.image.title": project.name, **LABELS},
        ports=(PORT,),
        user=ROOT_USER,
    )
