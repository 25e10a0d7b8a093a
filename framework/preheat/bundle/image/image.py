"""An image as data, and how one is made of a bundle and a base. Nothing leaves this machine here."""

from dataclasses import dataclass

from preheat.bundle.cache import Cache
from preheat.bundle.image.base import Base, Bases
from preheat.bundle.image.blob import Blob, BytesBlob
from preheat.bundle.image.checks import check_platform, find_python, missing_libraries, platform_of
from preheat.bundle.image.config import merge_config
from preheat.bundle.image.container import Container
from preheat.bundle.image.document import Descriptor, to_bytes
from preheat.bundle.image.facts import Facts
from preheat.bundle.image.layers import Packed, pack_layers
from preheat.bundle.image.media import TYPES, Dialect, layer_type
from preheat.bundle.image.standard_library import bytecode_layer
from preheat.bundle.model import Bundle, Target
from preheat.progress import Notice, Report

STAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLayer:
    """One layer; `name` is ours, such as `code`, or `base`. `cached` ones were not packed now."""

    name: str
    descriptor: Descriptor
    blob: Blob
    cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One platform's image. `manifest` and `config` are the bytes that registries get.

    `base` is where it comes from, `interpreter` the base's Python, `container` how it starts.
    """

    media_type: str
    manifest: BytesBlob
    config: BytesBlob
    config_type: str
    layers: tuple[ImageLayer, ...]
    base: Base
    interpreter: str
    container: Container

    @property
    def digest(self) -> str:
        """The image's name for ever: `sha256:HEX` of its manifest."""
        return self.manifest.digest

    @property
    def bytes(self) -> int:
        """What a first pull moves."""
        return self.config.size + sum(layer.descriptor.size for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Foundation:
    """A base that a bundle for one target can run on, by its Python `interpreter`.

    `bytecode` is the layer that its standard library lacks, None where it lacks nothing.
    """

    base: Base
    facts: Facts
    interpreter: str
    bytecode: Packed | None


def find_foundation(name: str, target: Target, bases: Bases) -> Foundation:
    """Return the base called `name`, looked into. Raises BundleError where it does not fit `target`."""
    platform = platform_of(target)
    base = bases.find(name, platform)
    check_platform(base, platform)
    facts = bases.facts(base)
    interpreter = find_python(base, facts, target)
    return Foundation(base, facts, interpreter, bytecode_layer(base, facts, target.python, bases=bases))


def build_image(
    bundle: Bundle,
    foundation: Foundation,
    container: Container,
    *,
    cache: Cache,
    report: Report,
    dialect: Dialect = "oci",
) -> Image:
    """Return the image of `bundle` on `foundation`, whose bytes depend on nothing else."""
    base = foundation.base
    if missing := missing_libraries(bundle, foundation.facts):
        report(_missing(missing, base))
    packed = pack_layers(bundle, cache, report)
    if foundation.bytecode is not None:
        packed = (foundation.bytecode, *packed)
    types = TYPES[dialect]
    config = BytesBlob(
        to_bytes(
            merge_config(
                base.config,
                container,
                interpreter=foundation.interpreter,
                layers=[(layer.name, layer.diff_id) for layer in packed],
                labels=_labels(bundle, base),
            )
        )
    )
    layers = (
        *(
            ImageLayer(
                name="base",
                descriptor=Descriptor(layer_type(each.media_type, dialect), each.digest, each.size),
                blob=blob,
                cached=True,
            )
            for each, blob in base.layers()
        ),
        *(
            ImageLayer(
                name=each.name,
                descriptor=Descriptor(types.layer, each.blob.digest, each.blob.size),
                blob=each.blob,
                cached=each.cached,
            )
            for each in packed
        ),
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": types.manifest,
        "config": Descriptor(types.config, config.digest, config.size).to_json(),
        "layers": [layer.descriptor.to_json() for layer in layers],
    }
    return Image(
        media_type=types.manifest,
        manifest=BytesBlob(to_bytes(manifest)),
        config=config,
        config_type=types.config,
        layers=layers,
        base=base,
        interpreter=foundation.interpreter,
        container=container,
    )


def _labels(bundle: Bundle, base: Base) -> dict[str, str]:
    name = base.reference
    return {
        "org.opencontainers.image.base.name": f"{name.registry}/{name.repository}:{name.tag or 'latest'}",
        "org.opencontainers.image.base.digest": base.digest,
        "preheat.bundle": bundle.digest,
    }


def _missing(missing: dict[str, str], base: Base) -> Notice:
    library, user = next(iter(missing.items()))
    others = f" (and {len(missing) - 1} more: {', '.join([*missing][1:5])})" if len(missing) > 1 else ""
    return Notice(
        STAGE,
        f"{user} needs {library}, which neither {base.reference} nor the bundle has{others}. "
        "If the handler uses it, the container will not start.",
        hint="Add the library to the base, such as: apt-get install libstdc++6",
    )
