"""The container's process as SageMaker starts it, from layers that lie as in an image."""

from collections.abc import Mapping
from pathlib import Path

from tests.fakes.servers import PACKAGES, ServerProcess, server_code

from preheat.interface.manifest import Limits
from preheat_providers.sagemaker.container import ENTRY, SCRIPT


class ContainerProcess(ServerProcess):
    """`docker run IMAGE serve`, without an image. It says `ready` in `events` like every server."""

    weights: Mapping[str, str] = {}

    def until_well(self) -> None:
        """Wait until it is ready, and, with several workers, until their host has heard of it."""
        self.until("ready")
        while self.get("/ping")[0] == 503:
            pass

    def lay(self, folder: Path, source: str, limits: Limits | None) -> list[str]:
        """Put the layers beside one another."""
        code = server_code(folder / "code", source, limits=limits, entry=ENTRY, weights=type(self).weights)
        (folder / "dependencies").symlink_to(PACKAGES)
        (folder / "weights").mkdir()
        return [str(code / SCRIPT), "serve"]


class WeighingProcess(ContainerProcess):
    """One whose handler wants the weights `model`."""

    weights: Mapping[str, str] = {"model": "model/data.txt"}
