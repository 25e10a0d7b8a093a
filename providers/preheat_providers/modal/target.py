"""The machine that Modal's container is: what to build for, and what ships. Pure."""

from preheat.bundle.model import Target
from preheat.bundle.shipped import REQUIREMENTS
from preheat.project.model import ObjectCreated, Project
from preheat_providers.modal.limits import PYTHON
from preheat_providers.modal.shipped.settings import PROVIDER
from preheat_providers.modal.shipping import MODULES

PLATFORM = "x86_64-manylinux_2_34"
"""Modal's `debian_slim` is Debian 12, whose glibc is 2.36, on x86-64: a builder of modal 1.6.4 says so
(`python:VERSION-slim-bookworm`). Wheels of an older glibc run there, and on more machines that build."""

SURFACE_REQUIREMENTS = ("fastapi>=0.115", "prometheus-client>=0.21")
"""What the HTTP surface needs. Modal's container brings the server, and its own packages apart from ours."""


UPLOAD_REQUIREMENTS = ("boto3>=1.36",)
"""What reads uploads and writes results, where a trigger brings some."""


def target_of(project: Project) -> Target:
    """Return what the bundle of `project` is built for."""
    uploads = any(isinstance(trigger, ObjectCreated) for trigger in project.triggers)
    return Target(
        provider=PROVIDER,
        platform=PLATFORM,
        python=project.python or PYTHON,
        entry=MODULES,
        requirements=(*REQUIREMENTS, *SURFACE_REQUIREMENTS, *(UPLOAD_REQUIREMENTS if uploads else ())),
    )
