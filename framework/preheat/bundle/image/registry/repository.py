"""One repository of a registry: its manifests and blobs, and where uploads begin.

Paths and statuses: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md (read 2026-11-21).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from preheat.bundle.image.blob import digest_of
from preheat.bundle.image.document import LARGEST, Descriptor
from preheat.bundle.image.media import ACCEPTED
from preheat.bundle.image.reference import DIGEST
from preheat.bundle.image.registry.authority import Authority
from preheat.bundle.image.registry.problems import RegistryError, refusal
from preheat.bundle.image.registry.transport import (
    ATTEMPTS,
    Answer,
    Body,
    Call,
    Lost,
    Transport,
    answer_of,
    check_redirect,
)

DIGEST_HEADER = "docker-content-digest"
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest or an index as the registry sent it; `digest` is of `body`."""

    digest: str
    media_type: str
    body: bytes


class Repository:
    """`name` of the registry behind `transport`, with the rights of `scopes`."""

    def __init__(
        self, transport: Transport, authority: Authority, name: str, scopes: tuple[str, ...]
    ) -> None:
        self.transport = transport
        self.name = name
        self._authority = authority
        self._scopes = scopes

    def __str__(self) -> str:
        return f"{self.transport.registry}/{self.name}"

    def ping(self) -> None:
        """See that a registry answers there. Raises RegistryError."""
        answer = self.send("GET", "/v2/")
        if answer.status != 200:
            raise RegistryError(
                f"{self.transport.registry} answered {answer.status} to GET /v2/: it is no image registry.",
                hint="Check the host's name and port.",
                status=answer.status,
            )

    def manifest(self, version: str) -> Fetched:
        """Return the manifest or index of a tag or digest. Raises RegistryError, also for a wrong digest."""
        answer = self.send("GET", self._path("manifests", version), headers={"Accept": ACCEPTED})
        if answer.status != 200:
            raise self._refusal(f"a request for {self.name} at {version}", answer)
        digest = digest_of(answer.body)
        claimed = version if DIGEST.fullmatch(version) else answer.headers.get(DIGEST_HEADER, digest)
        self._compare(claimed, digest, f"{self} at {version}")
        return Fetched(digest, answer.headers.get("content-type", "").partition(";")[0].strip(), answer.body)

    def digest(self, version: str) -> str | None:
        """Return the digest of what the registry has at a tag or digest, or None without such a manifest.

        A registry should state it, and need not (distribution-spec 1.1, "Pulling manifests"): then it is
        that of the manifest, fetched.
        """
        answer = self._look("HEAD", version)
        if answer is not None and not answer.headers.get(DIGEST_HEADER):
            answer = self._look("GET", version)
            return digest_of(answer.body) if answer is not None else None
        return str(answer.headers[DIGEST_HEADER]) if answer is not None else None

    def put_manifest(self, version: str, media_type: str, body: bytes) -> None:
        """Store a manifest at `version`, and see that it is there as it was sent. Raises RegistryError."""
        path = self._path("manifests", version)
        answer = self.send("PUT", path, headers={"Content-Type": media_type}, body=body)
        if answer.status != 201:
            raise self._refusal(f"the manifest of {self.name} at {version}", answer)
        self._compare(digest_of(body), self.digest(version) or "nothing", f"{self} at {version}")

    def has_blob(self, digest: str, size: int) -> bool:
        """Say whether the blob is there. Raises RegistryError if it is, with another size or digest."""
        answer = self.send("HEAD", self._path("blobs", digest))
        if answer.status == 404:
            return False
        if answer.status != 200:
            raise self._refusal(f"a question for a blob of {self.name}", answer)
        self._compare(digest, answer.headers.get(DIGEST_HEADER, digest), f"a blob of {self}")
        length = answer.headers.get("content-length", str(size))
        if length != str(size):
            raise RegistryError(f"{self} has {digest[:19]} with {length} bytes, and it has {size}.")
        return True

    def small_blob(self, descriptor: Descriptor) -> bytes:
        """Return a blob as a whole, such as a configuration. Raises RegistryError if it is not its digest."""
        if descriptor.size > LARGEST:
            raise RegistryError(f"{self} has a configuration of {descriptor.size:,} bytes; none is so large.")
        answer = self.send("GET", self._path("blobs", descriptor.digest))
        if answer.status != 200:
            raise self._refusal(f"a request for a blob of {self.name}", answer)
        self._compare(descriptor.digest, digest_of(answer.body), f"a blob of {self}")
        return answer.body

    def read_blob(self, digest: str, offset: int, length: int) -> Iterator[bytes]:
        """Yield `length` bytes of a blob from `offset` on; a connection that breaks is opened again there."""
        failures = 0
        while length > 0:
            moved = False
            try:
                for piece in self._range(digest, offset, length):
                    offset, length, moved = offset + len(piece), length - len(piece), True
                    yield piece
            except httpx.TransportError as exc:
                failures = 1 if moved else failures + 1
                if failures == ATTEMPTS:
                    raise Lost(f"{self} broke the connection {ATTEMPTS} times within {digest[:19]}.") from exc
                self.transport.wait(failures, None)
            else:
                return

    def begin(self, *, mount: str | None = None, source: str | None = None) -> str | None:
        """Begin an upload and return its address, or None if blob `mount` of `source` could be mounted."""
        query = f"?{urlencode({'mount': mount, 'from': source})}" if mount and source else ""
        answer = self.send("POST", self._path("blobs", "uploads/") + query)
        if mount and answer.status == 201:
            return None
        if answer.status != 202:
            raise self._refusal(f"an upload to {self.name}", answer)
        return self.location(answer)

    def location(self, answer: Answer) -> str:
        """Return where an upload goes on. Raises RegistryError for no place, and for one without TLS."""
        place = answer.headers.get("location")
        if not place:
            raise RegistryError(f"{self} took an upload and did not say where it goes on.")
        url = urlsplit(urljoin(answer.url, str(place)))
        own = urlsplit(self.transport.address)
        if (url.hostname, url.scheme, own.scheme) == (own.hostname, "http", "https"):
            # A registry behind a proxy may not know that it is reached by https, nor at which port.
            url = url._replace(scheme=own.scheme, netloc=own.netloc)
        check_redirect(answer.url, url.geturl())
        return url.geturl()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = _NOTHING,
        body: Body = None,
        attempts: int = ATTEMPTS,
    ) -> Answer:
        """Send one request with the proof it needs and return the answer."""
        with self._open(method, url, headers, body, attempts) as response:
            return answer_of(response)

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: Body, attempts: int
    ) -> Iterator[httpx.Response]:
        proof = self._authority.proof(self._scopes)
        with self.transport.open(
            self._call(method, url, headers, body, proof), attempts=attempts
        ) as response:
            if response.status_code != 401:
                yield response
                return
            refused = answer_of(response)
        self._authority.renew(self._scopes, proof, refused)
        proof = self._authority.proof(self._scopes)
        with self.transport.open(
            self._call(method, url, headers, body, proof), attempts=attempts
        ) as response:
            if response.status_code == 401:
                raise self._refusal("the login", answer_of(response))
            yield response

    def _call(self, method: str, url: str, headers: Mapping[str, str], body: Body, proof: str | None) -> Call:
        host = urlsplit(url).netloc
        ours = not host or host == urlsplit(self.transport.address).netloc
        proven = {**headers, "Authorization": proof} if proof is not None and ours else headers
        return Call(method=method, url=url, headers=proven, body=body)

    def _range(self, digest: str, offset: int, length: int) -> Iterator[bytes]:
        headers = {"Range": f"bytes={offset}-{offset + length - 1}"}
        with self._open("GET", self._path("blobs", digest), headers, None, ATTEMPTS) as response:
            if response.status_code not in (200, 206):
                raise self._refusal(f"a request for a blob of {self.name}", answer_of(response))
            skip = offset if response.status_code == 200 else 0
            for piece in response.iter_raw():
                kept = piece[min(skip, len(piece)) :][:length]
                skip -= min(skip, len(piece))
                length -= len(kept)
                if kept:
                    yield kept
                if length == 0:
                    return

    def _look(self, method: str, version: str) -> Answer | None:
        answer = self.send(method, self._path("manifests", version), headers={"Accept": ACCEPTED})
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self._refusal(f"a question for {self.name} at {version}", answer)
        return answer

    def _path(self, kind: str, rest: str) -> str:
        return f"/v2/{self.name}/{kind}/{rest}"

    def _compare(self, wanted: str, found: str, what: str) -> None:
        if wanted != found:
            raise RegistryError(
                f"{what} should be {wanted}, and the registry has {found}.",
                hint="Do not use that image. Something between here and the registry changes content.",
            )

    def _refusal(self, what: str, answer: Answer) -> RegistryError:
        return refusal(self.transport.registry, what, answer.status, answer.body)
