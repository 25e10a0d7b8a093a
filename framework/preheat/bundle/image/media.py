"""Media types of images, in the two dialects that registries speak.

OCI: https://github.com/opencontainers/image-spec/blob/v1.1.0/media-types.md, Docker:
https://distribution.github.io/distribution/spec/manifest-v2-2/ (both read 2026-11-21). The bytes of a layer
are the same in both; only what they are called differs.
"""

from dataclasses import dataclass
from typing import Literal

Dialect = Literal["oci", "docker"]

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})


@dataclass(frozen=True, slots=True)
class Types:
    """What one dialect calls things."""

    manifest: str
    config: str
    layer: str


TYPES: dict[Dialect, Types] = {
    "oci": Types(
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
    "docker": Types(
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ),
}
MANIFESTS = frozenset(types.manifest for types in TYPES.values())
ACCEPTED = ", ".join([*sorted(MANIFESTS), *sorted(INDEXES)])

GZIPPED = frozenset(types.layer for types in TYPES.values())
PLAIN = {
    "application/vnd.oci.image.layer.v1.tar": "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
}
"""Layers that are not compressed, and what the other dialect calls them."""


def layer_type(known: str, dialect: Dialect) -> str:
    """Return what `dialect` calls a layer of type `known`; types without a counterpart stay."""
    if known in GZIPPED:
        return TYPES[dialect].layer
    if known in PLAIN and ("docker" in known) != (dialect == "docker"):
        return PLAIN[known]
    return known
