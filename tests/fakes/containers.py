"""Real tools for images: Debian's registry as a process, a base made by mmdebstrap, podman with runc."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from tests.fakes.patience import PATIENCE_S
from tests.system_packages import FOLDERS, line, missing

from preheat.bundle.image.blob import BytesBlob, FileBlob
from preheat.bundle.image.compression import compress
from preheat.bundle.image.document import Descriptor, to_bytes
from preheat.bundle.image.media import TYPES
from preheat.bundle.image.reference import parse_reference
from preheat.bundle.image.registry.credentials import anonymous
from preheat.bundle.image.registry.registries import Registries
from preheat.bundle.image.registry.upload import Upload

CACHE = Path(__file__).parents[2] / ".cache" / "images"
SUITE = "bookworm"
PYTHON = "3.11"
"""What that release of Debian has."""
PACKAGES = ("base-files", "libpython3.11-stdlib", "libstdc++6", "python3.11-minimal")
PORT = 8080
ADDRESS = "{{.NetworkSettings.IPAddress}}"
LIMITS = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096")
"""Podman's own limits need CAP_SYS_RESOURCE, which a container that runs the tests may not have."""

T = TypeVar("T")

_CONFIG = """
version: 0.1
log: {level: info, formatter: json}
storage: {filesystem: {rootdirectory: %s}}
http: {addr: "127.0.0.1:0"}
"""
_LISTENS = re.compile(r"listening on (127\.0\.0\.1:\d+)")


def check_tools() -> None:
    """Raise AssertionError with the line to run if a program is missing."""
    assert not missing(), f"These tests need {', '.join(missing())}. Run: {line()}"


def base_archive() -> Path:
    """Return a root file system with Python as a tar archive, made once and kept."""
    name = sha256(" ".join((SUITE, *PACKAGES)).encode()).hexdigest()[:12]
    path = CACHE / f"base-{SUITE}-{name}.tar"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"part-{os.getpid()}.tar")
        include = f"--include={','.join(PACKAGES)}"
        subprocess.run(["mmdebstrap", "--quiet", "--variant=extract", include, SUITE, part], check=True)
        part.rename(path)
    return path


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run Debian's docker-registry on a port of the system's choice; yield its host."""
    config = folder / "registry.yml"
    config.write_text(_CONFIG % (folder / "registry"))
    command = ["docker-registry", "serve", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        reader = None
        try:
            lines = []
            for text in process.stdout:
                lines.append(text)
                if found := _LISTENS.search(text):
                    break
            else:
                raise AssertionError("".join(lines))
            with (folder / "registry.log").open("w") as log:
                reader = subprocess.Popen(["cat"], stdin=process.stdout, stdout=log)
            yield found[1]
        finally:
            process.kill()  # it would wait for connections that idle
            process.wait(PATIENCE_S)
            if reader is not None:
                reader.wait(PATIENCE_S)


def push_base(host: str, archive: Path, name: str, *, folder: Path, architecture: str = "amd64") -> str:
    """Store `archive` as an image of one layer; return its name."""
    packed = folder / f"{name}.tar.gz"
    with archive.open("rb") as source, packed.open("wb") as into:
        made = compress(iter(lambda: source.read(1 << 20), b""), into)
    process = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]}
    rootfs = {"type": "layers", "diff_ids": [made.diff_id]}
    history = [{"created_by": "mmdebstrap"}]  # podman builds on no image without one
    platform = {"architecture": architecture, "os": "linux"}
    config = BytesBlob(to_bytes({**platform, "config": process, "rootfs": rootfs, "history": history}))
    types = TYPES["oci"]
    manifest = {
        "schemaVersion": 2,
        "mediaType": types.manifest,
        "config": Descriptor(types.config, config.digest, config.size).to_json(),
        "layers": [Descriptor(types.layer, made.digest, made.size).to_json()],
    }
    reference = parse_reference(f"{host}/{name}:latest")
    with Registries(anonymous) as registries:
        repository = registries.to_write(reference)
        for blob in (FileBlob(packed, made.digest, made.size), config):
            Upload(repository, blob, lambda _: None).run()
        repository.put_manifest("latest", types.manifest, to_bytes(manifest))
    packed.unlink()
    return f"{host}/{name}:latest"


@dataclass
class Container:
    """One running container, at `host`, its own address on this machine's bridge.

    No port is published: podman does so by a rule of the firewall, which stays behind when a run is
    killed. From then on connections to that port are refused, whoever the system gives it to.
    """

    podman: "Podman"
    id: str
    host: str

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{PORT}"

    def until_logged(self, event: str) -> dict[str, Any]:
        """Follow the log until `event` has come."""
        return self._follow(lambda line: found if (found := logged(line)).get("event") == event else None)

    def until_written(self, text: str) -> str:
        """Follow the log until a line with `text` has come."""
        return self._follow(lambda line: line if text in line else None)

    def _follow(self, wanted: Callable[[str], T | None]) -> T:
        with subprocess.Popen(
            self.podman.command("logs", "--follow", self.id), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            assert process.stdout is not None
            lines = []
            try:
                for text in process.stdout:
                    lines.append(text.decode())
                    if found := wanted(lines[-1]):
                        return found
            finally:
                process.kill()
        raise AssertionError(f"what was awaited did not come: {lines}")

    def state(self) -> dict[str, Any]:
        """Return what podman knows of it."""
        found: dict[str, Any] = json.loads(self.podman.run("inspect", self.id))[0]
        return found

    def ended(self) -> int:
        """Wait for its end and return the exit code."""
        return int(self.podman.run("wait", self.id))


@dataclass
class Podman:
    """podman with its own store in `folder`, by runc: crun takes no hybrid cgroups."""

    folder: Path
    started: list[str] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of `podman arguments`."""
        store = ["--root", str(self.folder / "root"), "--runroot", str(self.folder / "run")]
        return ["podman", "--runtime", "runc", "--log-level", "error", *store, *arguments]

    def run(self, *arguments: str) -> str:
        """Run `podman arguments` and return what it prints."""
        # Its monitor leaves an empty file `oom` where it was started when a container is killed for memory.
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=120, cwd=self.folder
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, image: str, *flags: str, arguments: Sequence[str] = ()) -> Container:
        """Start a container of `image`, and wait for its model."""
        container = self.launch(image, *flags, arguments=arguments)
        container.until_logged("ready")
        return container

    def launch(self, image: str, *flags: str, arguments: Sequence[str] = ()) -> Container:
        """Start a container of `image`."""
        identity = self.run("run", "--detach", *LIMITS, *flags, image, *arguments)
        self.started.append(identity)
        return Container(self, identity, self.run("inspect", "--format", ADDRESS, identity))

    def close(self) -> None:
        """Remove its containers and its store."""
        for identity in self.started:
            self.run("rm", "--force", "--time", "0", identity)
        shutil.rmtree(self.folder, ignore_errors=True)


def logged(line: str) -> dict[str, Any]:
    """Return the event that a line of a log is, or nothing."""
    return dict(json.loads(line)) if line.startswith("{") else {}


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a user who has `home` as the folder of all state."""
    left_out = ("PYTHONDONTWRITEBYTECODE", "PREHEAT_HOME")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "PREHEAT_HOME": str(home), "PATH": os.pathsep.join([kept["PATH"], *FOLDERS])}
