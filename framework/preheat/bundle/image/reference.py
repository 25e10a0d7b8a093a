"""The name of an image, read: registry, repository, tag, digest. Touches nothing.

The grammar is that of https://github.com/distribution/reference; a name without a registry is one of
Docker Hub, as every engine has it.
"""

import re
from dataclasses import dataclass, replace

from preheat.errors import BundleError

DOCKER_HUB = "docker.io"
_HUB_API = "registry-1.docker.io"
"""Where Docker Hub answers; docker.io itself is a web site."""

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 255
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|\[::1\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One image: `digest` wins over `tag` where both are set. `registry` is a host, maybe with a port."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def version(self) -> str:
        """What the registry is asked for: the digest, else the tag."""
        return self.digest or self.tag or "latest"

    @property
    def address(self) -> str:
        """The URL of the registry; plain HTTP is for this machine only."""
        host = _HUB_API if self.registry == DOCKER_HUB else self.registry
        return f"{'http' if is_loopback(host) else 'https'}://{host}"

    def at(self, digest: str) -> "Reference":
        """Return the same name pinned to `digest`."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        name = f"{self.registry}/{self.repository}"
        if self.registry == DOCKER_HUB:
            name = self.repository.removeprefix("library/")
        tag = f":{self.tag}" if self.tag else ""
        return f"{name}{tag}@{self.digest}" if self.digest else f"{name}{tag}"


def parse_reference(text: str) -> Reference:
    """Read `text`, such as `python:3.12-slim` or `host:5000/team/app@sha256:...`. Raises BundleError."""
    rest, at, digest = text.strip().partition("@")
    first, slash, path = rest.partition("/")
    named = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, path) if named else (DOCKER_HUB, rest)
    repository, colon, tag = path.partition(":")
    if registry in (DOCKER_HUB, "index.docker.io", _HUB_API):
        registry = DOCKER_HUB
        repository = repository if "/" in repository else f"library/{repository}"
    wrong = None
    if not _HOST.fullmatch(registry):
        wrong = f"{registry!r} is no host"
    elif not _REPOSITORY.fullmatch(repository) or len(repository) > _LONGEST:
        wrong = f"{repository!r} is no repository (lower-case letters, digits, . _ - and /)"
    elif colon and not _TAG.fullmatch(tag):
        wrong = f"{tag!r} is no tag"
    elif at and not DIGEST.fullmatch(digest):
        wrong = f"{digest!r} is no digest (sha256: and 64 hex digits)"
    if wrong:
        raise BundleError(
            f"{text!r} does not name an image: {wrong}.",
            hint="An image is named like python:3.12-slim or registry.example.com/team/app:v1.",
        )
    return Reference(
        registry=registry,
        repository=repository,
        tag=tag or (None if digest else "latest"),
        digest=digest or None,
    )


def is_loopback(host: str) -> bool:
    """Say whether `host` (with or without a port) is this machine."""
    return _LOOPBACK.fullmatch(re.sub(r":\d+$", "", host)) is not None
