"""An image registry on the loopback that speaks the real protocol, and can misbehave in every way of one."""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from preheat.bundle.image.blob import digest_of

OCI = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Registry:
    """What it holds and what it is asked (`seen`: method and path with query).

    `login` makes it want that user and password; with `tokens` it wants a token fetched with them, good for
    `token_uses` requests. The other fields are its faults: `busy` answers that many requests with 429,
    `cuts` holds after how many bytes the next uploads break, `reads` after how many the next downloads do;
    `forgets` loses uploads that break; `claims` is the digest that it states for everything, unless it
    `states` none; `content` is what it serves in place of blobs, `refusals` the status of what begins with
    "METHOD /path".
    """

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    login: tuple[str, str] | None = None
    tokens: bool = False
    token_uses: int = 1000
    mounts: bool = True
    ranges: bool = True
    busy: int = 0
    retry_after: str | None = "7"
    cuts: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    forgets: bool = False
    claims: str | None = None
    states: bool = True
    content: bytes | None = None
    refusals: Mapping[str, tuple[int, str, str]] = field(default_factory=dict)
    redirect_to: str | None = None
    seen: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    scopes: list[list[str]] = field(default_factory=list)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    host: str = ""
    left: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: Iterator[int] = field(default_factory=count)

    def add(self, repository: str, data: bytes) -> str:
        """Put a blob there; return its digest."""
        self.blobs[repository, digest_of(data)] = data
        return digest_of(data)

    def name(self, repository: str, tag: str, document: Mapping[str, Any], media_type: str = OCI) -> str:
        """Put a manifest there at `tag` and at its digest, which is returned."""
        body = json.dumps(document).encode()
        for version in (tag, digest_of(body)):
            self.manifests[repository, version] = media_type, body
        return digest_of(body)

    def asked(self, start: str) -> list[str]:
        """Return the requests that begin with `start`, such as "PATCH"."""
        return [line for line in self.seen if line.startswith(start)]


@contextmanager
def serving(registry: Registry) -> Iterator[Registry]:
    """Run it on a free port until the block ends; `host` then says where."""

    class Answer(_Answer):
        state = registry

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    listener.daemon_threads = True
    registry.host = f"127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Registry

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._guarded()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_GET

    def _guarded(self) -> None:
        registry = self.state
        place = urlsplit(self.path)
        with registry.lock:
            registry.seen.append(f"{self.command} {self.path}")
            registry.authorizations.append(self.headers.get("authorization"))
            for start, (status, code, message) in registry.refusals.items():
                if f"{self.command} {place.path}".startswith(start):
                    self._refuse(status, code, message)
                    return
            if registry.busy:
                registry.busy -= 1
                after = {"Retry-After": registry.retry_after} if registry.retry_after else {}
                self._refuse(429, "TOOMANYREQUESTS", "slow down", after)
                return
        if place.path == "/token":
            self._token(parse_qs(place.query))
        elif not self._proven():
            self._refuse(401, "UNAUTHORIZED", "authentication required", self._challenge())
        elif place.path == "/v2/":
            self._send(200, b"{}")
        else:
            self._route(place.path, parse_qs(place.query))

    def _route(self, path: str, query: Mapping[str, list[str]]) -> None:
        routes: dict[str, Callable[[str, str, Mapping[str, list[str]]], None]] = {
            "/manifests/": self._manifest,
            "/blobs/uploads/": self._upload,
            "/blobs/": self._blob,
        }
        for kind, answer in routes.items():
            if kind in path:
                repository, _, rest = path.removeprefix("/v2/").partition(kind)
                answer(repository, rest, query)
                return
        self._refuse(404, "NAME_UNKNOWN", "no such path")

    def _manifest(self, repository: str, version: str, query: Mapping[str, list[str]]) -> None:
        manifests = self.state.manifests
        if self.command == "PUT":
            body = self._body()
            for name in (version, digest_of(body)):
                manifests[repository, name] = self.headers["content-type"], body
            self._send(201, digest=digest_of(body))
        elif found := manifests.get((repository, version)):
            self._send(200, found[1], {"Content-Type": found[0]}, digest=digest_of(found[1]))
        else:
            self._refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def _blob(self, repository: str, digest: str, query: Mapping[str, list[str]]) -> None:
        found = self.state.blobs.get((repository, digest))
        if found is None:
            self._refuse(404, "BLOB_UNKNOWN", "blob unknown")
            return
        if self.state.redirect_to is not None and self.command == "GET":
            self._send(307, b"", {"Location": f"{self.state.redirect_to}{self.path}"})
            return
        content = found if self.state.content is None or self.command == "HEAD" else self.state.content
        status = 200
        if (asked := self.headers.get("range")) and self.state.ranges:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            content, status = content[int(first) : int(last) + 1], 206
        self._send(status, content, digest=digest, cut=self.command == "GET")

    def _upload(self, repository: str, name: str, query: Mapping[str, list[str]]) -> None:
        registry = self.state
        if self.command == "POST":
            self._begin(repository, query)
        elif name not in registry.uploads:
            self._body()
            self._refuse(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown")
        elif self.command == "GET":
            self._taken(204, repository, name)
        elif self.command == "PATCH":
            start = int(self.headers["content-range"].partition("-")[0])
            if start != len(registry.uploads[name]):
                self._body()
                self._taken(416, repository, name)
            elif self._take(name):
                self._taken(202, repository, name)
        elif self._take(name):
            content = bytes(registry.uploads.pop(name))
            if digest_of(content) != query["digest"][0]:
                self._refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
                return
            self._send(201, digest=registry.add(repository, content))

    def _begin(self, repository: str, query: Mapping[str, list[str]]) -> None:
        registry = self.state
        if "mount" in query and registry.mounts:
            digest, source = query["mount"][0], query["from"][0]
            if (source, digest) in registry.blobs:
                registry.blobs[repository, digest] = registry.blobs[source, digest]
                self._send(201, digest=digest)
                return
        name = str(next(registry.numbers))
        registry.uploads[name] = bytearray()
        self._taken(202, repository, name)

    def _taken(self, status: int, repository: str, name: str) -> None:
        last = max(len(self.state.uploads[name]) - 1, 0)
        place = f"/v2/{repository}/blobs/uploads/{name}?state=secret"
        self._send(status, b"", {"Location": place, "Range": f"0-{last}"})

    def _take(self, name: str) -> bool:
        """Take the body; where it breaks, keep what came, unless the upload is to be forgotten."""
        length = int(self.headers.get("content-length", 0))
        cut = self.state.cuts.pop(0) if self.state.cuts and length else length
        taken = self.rfile.read(min(cut, length))
        self.state.uploads[name] += taken
        if len(taken) == length:
            return True
        if self.state.forgets:
            del self.state.uploads[name]
        self.close_connection = True
        if cut < length:
            self.connection.shutdown(2)
        return False

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _token(self, query: Mapping[str, list[str]]) -> None:
        registry = self.state
        if self.command == "POST":
            form = parse_qs(self._body().decode())
            registry.scopes.append(form["scope"][0].split())
            right = registry.login is not None and form["refresh_token"][0] == registry.login[1]
        else:
            registry.scopes.append(query["scope"])
            right = registry.login is None or self.headers.get("authorization") == _basic(*registry.login)
        if not right:
            self._refuse(401, "UNAUTHORIZED", "incorrect username or password")
            return
        token = f"token-{next(registry.numbers)}"
        registry.left[token] = registry.token_uses
        self._send(200, json.dumps({"token": token}).encode())

    def _proven(self) -> bool:
        registry, given = self.state, self.headers.get("authorization") or ""
        if registry.tokens:
            with registry.lock:
                token = given.removeprefix("Bearer ")
                registry.left[token] = registry.left.get(token, 0) - 1
                return registry.left[token] >= 0
        return registry.login is None or given == _basic(*registry.login)

    def _challenge(self) -> dict[str, str]:
        if self.state.tokens:
            realm = f"http://{self.state.host}/token"
            return {"WWW-Authenticate": f'Bearer realm="{realm}",service="fake",scope="repository:x:pull"'}
        return {"WWW-Authenticate": 'Basic realm="fake"'}

    def _refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        if self.command in ("PUT", "PATCH", "POST"):
            self.close_connection = True  # the body was not read
        self._send(status, body, headers or {})

    def _send(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        digest: str | None = None,
        cut: bool = False,
    ) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        if digest is not None and self.state.states:
            self.send_header("Docker-Content-Digest", self.state.claims or digest)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            end = self.state.reads.pop(0) if cut and self.state.reads else len(body)
            self.wfile.write(body[:end])
            self.close_connection |= end < len(body)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def image_of(
    registry: Registry,
    repository: str,
    layers: list[tuple[bytes, bytes]],
    *,
    tag: str = "latest",
    config: Mapping[str, Any] | None = None,
    layer_type: str = "application/vnd.oci.image.layer.v1.tar+gzip",
) -> str:
    """Put an image there, whose layers are (compressed, unpacked); return its digest."""
    document = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [digest_of(plain) for _, plain in layers]},
        **(config or {}),
    }
    body = json.dumps(document).encode()
    described = [
        {"mediaType": layer_type, "digest": registry.add(repository, packed), "size": len(packed)}
        for packed, _ in layers
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": registry.add(repository, body),
            "size": len(body),
        },
        "layers": described,
    }
    return registry.name(repository, tag, manifest)
