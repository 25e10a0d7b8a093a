"""How a container of the image starts: the process, its user, its variables. Pure.

The server is process 1: it hands on signals, buries orphans, and drains on SIGTERM
(`preheat.runtime.server`), so that no init program is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from preheat.bundle.serving import SCRIPT
from preheat.project.model import Project

ROOT = "opt/preheat"
DEPENDENCIES, WEIGHTS, CODE = f"{ROOT}/dependencies", f"{ROOT}/weights", f"{ROOT}/code"
"""Where the layers of a bundle lie in the image."""

PORT = 8080
USER = "65532"
"""Nobody in particular, as a number: Kubernetes checks `runAsNonRoot` without reading /etc/passwd."""

TOKEN_VARIABLE = "PREHEAT_TOKEN"  # noqa: S105 - the name of a variable
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What the image's configuration says of the process. `command` follows the interpreter."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    ports: tuple[int, ...] = (PORT,)
    user: str | None = USER
    folder: str = f"/{CODE}"
    stop_signal: str = "SIGTERM"


def server_container(project: Project, *, user: str | None = USER, script: str = SCRIPT) -> Container:
    """Return a container that serves `project` on port 8080, and wants PREHEAT_TOKEN where it has a token."""
    token = ["--token-env", TOKEN_VARIABLE] if project.http.auth == "token" else []
    return Container(
        command=(
            *("-I", "-S", "-B", "-X", "utf8", f"/{CODE}/{script}"),
            *("--dependencies", f"/{DEPENDENCIES}", "--weights", f"/{WEIGHTS}"),
            *("--host", "0.0.0.0", "--port", str(PORT), "--stage", project.stage),  # noqa: S104 - its own network
            *token,
        ),
        env=project.env,
        labels={"org.opencontainers.image.title": project.name},
        user=user,
    )
