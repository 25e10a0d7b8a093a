"""One app as frozen data: all that the generated file says. Made of a project; a deploy reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from preheat.runtime.objects.uploads import Upload
from preheat_providers.modal.shipped.settings import Settings

NOTHING: Mapping[str, str] = MappingProxyType({})
NO_SECRETS: Mapping[str, tuple[str, ...]] = MappingProxyType({})
Snapshot = Literal["none", "cpu", "gpu"]
Layers = Literal["image", "upload"]
Door = Literal["token", "proxy", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A modal.Volume called `name` whose folder `folder` holds the weights."""

    name: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many containers run, and how many seconds one that is idle stays."""

    min_containers: int = 0
    max_containers: int | None = None
    buffer_containers: int = 0
    scaledown_window: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The schedule `name` of preheat.toml, and the input that it runs on."""

    name: str
    cron: str
    timezone: str = "UTC"
    input: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSpec:
    """One app.

    `packages` says how they get there: `image`, built by Modal of requirements.txt with `uv_version`, or
    `upload`, the bundle's own layer. `weights` is a Volume, `image` for weights that are baked in, or
    None. `gpu` is what to ask for, in this order. Modal hands `max_inputs` requests to one container and
    aims at `target_inputs`. `door` says who may call: holders of our token, of a proxy token of Modal's,
    or everybody. `secrets` names Modal's Secrets with the variables that each must have, and
    `secrets_mark` changes with the values of the one that the deploy makes; `env` is no secret.
    `uploads_sha256` is what the key hashes to with which AWS tells of uploads; the other `upload_`
    fields are those of Settings.
    """

    app: str
    label: str
    stage: str
    release: str
    python: str
    uv_version: str
    packages: Layers = "image"
    weights: Volume | Literal["image"] | None = None
    cpu: float
    memory_mb: int
    gpu: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    nonpreemptible: bool = False
    timeout_s: int
    startup_timeout_s: int
    retries: int = 0
    scale: Scale = field(default_factory=Scale)
    max_inputs: int
    target_inputs: int
    snapshot: Snapshot = "none"
    door: Door = "token"
    jobs: str
    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_SECRETS)
    secrets_mark: str | None = None
    ticks: tuple[Tick, ...] = ()
    uploads: tuple[Upload, ...] = ()
    uploads_sha256: str = ""
    upload_role: str | None = None
    upload_region: str | None = None
    upload_queue: str | None = None

    @property
    def settings(self) -> Settings:
        """What its containers are told."""
        return Settings(
            stage=self.stage,
            release=self.release,
            memory_mb=self.memory_mb,
            cpus=self.cpu,
            door="token" if self.door == "token" else "open",
            jobs=self.jobs,
            weights=self.weights.folder if isinstance(self.weights, Volume) else "",
            snapshot=self.snapshot != "none",
            ticks={tick.name: tick.input for tick in self.ticks},
            uploads=tuple(upload.document() for upload in self.uploads),
            upload_role=self.upload_role,
            upload_region=self.upload_region,
            upload_queue=self.upload_queue,
        )
