"""One blob into a repository: in one request while it is small, else in chunks that can be resumed."""

from collections.abc import Callable
from urllib.parse import urlencode

from preheat.bundle.image.blob import Blob, Checked
from preheat.bundle.image.registry.problems import RegistryError, refusal
from preheat.bundle.image.registry.repository import DIGEST_HEADER, Repository
from preheat.bundle.image.registry.transport import ATTEMPTS, REPEATED, Answer, Lost

CHUNK = 64 << 20
"""Bytes of one PATCH. They are streamed: a chunk is what may have to be sent again, not what is held."""

_OCTETS = "application/octet-stream"


class Upload:
    """Sends `blob`; `progress` gets the bytes that the registry took (negative where it lost some)."""

    def __init__(
        self, repository: Repository, blob: Blob, progress: Callable[[int], None], *, chunk: int = CHUNK
    ) -> None:
        self._repository = repository
        self._blob = blob
        self._progress = progress
        self._chunk = chunk
        self._content = Checked(blob)
        self._taken = 0

    def run(self, place: str | None = None) -> None:
        """Send all of it, to the upload at `place` if one was begun. Raises RegistryError."""
        failures = 0
        while True:
            before = self._taken
            answer: Answer | None = None
            try:
                place = place or self._repository.begin()
                assert place is not None
                answer = self._next(place)
            except Lost as lost:
                failure: RegistryError = lost
            else:
                if answer.status == 201:
                    self._finish(answer)
                    return
                if answer.status == 202:
                    place = self._repository.location(answer)
                    failures = 0
                    continue
                failure = self._refusal(answer)
                if answer.status not in REPEATED | {404, 416}:
                    raise failure
            failures = 1 if self._taken > before else failures + 1
            if failures == ATTEMPTS:
                raise failure
            self._repository.transport.wait(failures, answer)
            if self._repository.has_blob(self._blob.digest, self._blob.size):  # only the answer was lost
                self._advance(self._blob.size)
                return
            place = self._resume(place)

    def _next(self, place: str) -> Answer:
        """Send the next chunk, or close the upload when all were taken."""
        rest = self._blob.size - self._taken
        if rest == 0 or (self._taken == 0 and rest <= self._chunk):
            url = f"{place}{'&' if '?' in place else '?'}{urlencode({'digest': self._blob.digest})}"
            return self._send("PUT", url, rest)
        length = min(rest, self._chunk)
        answer = self._send("PATCH", place, length)
        if answer.status == 202:
            self._advance(self._taken + length)
        return answer

    def _send(self, method: str, url: str, length: int) -> Answer:
        start = self._taken
        headers = {"Content-Type": _OCTETS, "Content-Length": str(length)}
        if method == "PATCH":
            headers["Content-Range"] = f"{start}-{start + length - 1}"
        body = (lambda: self._content.read(start, length)) if length else b""
        return self._repository.send(method, url, headers=headers, body=body, attempts=1)

    def _resume(self, place: str | None) -> str | None:
        """Ask how much of the upload arrived; begin anew where the registry has forgotten it."""
        if place is not None and self._blob.size > self._chunk:
            answer = self._repository.send("GET", place)
            first, _, last = answer.headers.get("range", "").removeprefix("bytes=").partition("-")
            if answer.status == 204 and first == "0" and last.isdigit() and int(last) < self._blob.size:
                # A registry says 0-0 for nothing as for one byte; then all is sent again.
                self._advance(int(last) + 1 if int(last) else 0)
                if self._taken:
                    return self._repository.location(answer)
        self._advance(0)
        return None

    def _advance(self, taken: int) -> None:
        self._progress(taken - self._taken)
        self._taken = taken

    def _finish(self, answer: Answer) -> None:
        found = answer.headers.get(DIGEST_HEADER, self._blob.digest)
        if found != self._blob.digest or not self._repository.has_blob(self._blob.digest, self._blob.size):
            raise RegistryError(
                f"{self._repository} took {self._blob.digest} and says that it has {found}.",
                hint="Do not use that image. Something between here and the registry changes content.",
            )
        self._advance(self._blob.size)

    def _refusal(self, answer: Answer) -> RegistryError:
        what = f"an upload to {self._repository.name}"
        return refusal(self._repository.transport.registry, what, answer.status, answer.body)
