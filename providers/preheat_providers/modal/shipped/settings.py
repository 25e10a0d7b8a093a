"""What the deploy tells a container: the literal in the generated app, and the variables beside it. Ships."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from preheat.errors import ProviderError
from preheat.runtime.beginning import Place

if TYPE_CHECKING:
    from preheat_providers.modal.shipped.uploads.credentials import Access

PROVIDER = "modal"

BUNDLE = "preheat-bundle"
"""The folder of the bundle's layers, beside the generated app: no name that Python could import."""
CODE, DEPENDENCIES, WEIGHTS = "code", "dependencies", "weights"

UPLOADS_KEY = "PREHEAT_UPLOADS_SHA256"
"""The hash of the key with which AWS tells of uploads."""

TOKEN = "PREHEAT_TOKEN_SHA256"  # noqa: S105 - the name of a variable
"""The hash of the endpoint's token, where callers send one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One deployment.

    `release` is what answers say they came from. `door` says who may call: holders of the `token`,
    or everybody who gets here (`open`: Modal's proxy has looked, or nobody is to look). `jobs` is
    the modal.Dict with the records of jobs. `weights` is the folder below that of the weights,
    empty for the folder itself. `ticks` has the input of each schedule by its name. `snapshot` says
    whether containers are made of a memory snapshot that was taken after setup. `uploads` has the
    triggers of uploads, `upload_role` what AWS knows the container as, `upload_region` where AWS is asked,
    and `upload_queue` the queue that tells of uploads where no stack does.
    """

    stage: str
    release: str
    memory_mb: int
    cpus: float
    door: Literal["token", "open"]
    jobs: str
    weights: str = ""
    snapshot: bool = False
    ticks: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    uploads: tuple[Mapping[str, Any], ...] = ()
    upload_role: str | None = None
    upload_region: str | None = None
    upload_queue: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "ticks": dict(self.ticks),
            "uploads": [dict(each) for each in self.uploads],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Settings":
        """Return what `document` wrote."""
        return cls(**{**document, "uploads": tuple(document.get("uploads", ()))})

    def access(self, environ: Mapping[str, str]) -> "Access":
        """Return how AWS lets the container in."""
        from preheat_providers.modal.shipped.uploads.credentials import Access

        return Access(role=self.upload_role, region=self.upload_region, environ=environ)

    def place(self, bundle: Path, name: str, tmp: Path) -> Place:
        """Return where the handler called `name` runs, whose layers are in `bundle`."""
        return Place(
            code=bundle / CODE,
            weights=bundle / WEIGHTS / self.weights,
            name=name,
            stage=self.stage,
            provider=PROVIDER,
            release=self.release,
            tmp=tmp,
            cpus=self.cpus,
        )

    def token_sha256(self, environ: Mapping[str, str]) -> str | None:
        """Return the hash that callers' tokens must have, or None for an open door. Raises ProviderError."""
        if self.door == "open":
            return None
        if not environ.get(TOKEN):
            raise ProviderError(
                f"The container's environment lacks {TOKEN}, which every deploy sets: nobody could call it.",
                hint="preheat deploy --provider modal",
            )
        return environ[TOKEN]
