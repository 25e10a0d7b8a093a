"""Where the local provider keeps what: every path below one home, and the short folder for its sockets."""

import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from preheat.errors import ProviderError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
LONGEST_RUNTIME = 50
"""Characters of $XDG_RUNTIME_DIR; with the rest, a socket's path must stay below 104 to 108 (man 7 unix)."""
WRITABLE_BY_OTHERS = 0o022
OWN_SOCKETS = (
    "Have them in a folder of your own: mkdir -m 700 ~/.sockets && export XDG_RUNTIME_DIR=~/.sockets"
)


def function_key(name: str, stage: str) -> str:
    """Return `name@stage`, the one identity of a function; raises ProviderError for what is no plain name."""
    for text in (name, stage):
        if not NAME.fullmatch(text):
            raise ProviderError(
                f"{text!r} is no name of a function or stage: letters, digits, '-', '_' and '.', 63 at most."
            )
    return f"{name}@{stage}"


@dataclass(frozen=True, slots=True)
class HomePaths:
    """The files of one PREHEAT_HOME that belong to the local provider."""

    home: Path

    @property
    def lock(self) -> Path:
        """The file whose lock makes a supervisor the only one; it holds that process's pid and socket."""
        return self.home / "supervisor.lock"

    @property
    def start_lock(self) -> Path:
        """The file that clients lock while one of them starts the supervisor."""
        return self.home / "supervisor.start"

    @property
    def output(self) -> Path:
        """What the supervisor itself prints."""
        return self.home / "supervisor.log"

    @property
    def state(self) -> Path:
        """Functions, releases and traffic."""
        return self.home / "state.db"

    @property
    def jobs(self) -> Path:
        """The durable queue of jobs and deliveries."""
        return self.home / "jobs.db"

    @property
    def tls(self) -> Path:
        """The local authority and the endpoint's certificate."""
        return self.home / "tls"

    def log(self, function: str) -> Path:
        """The log of `function` (`name@stage`)."""
        return self.home / "logs" / f"{function}.jsonl"

    def access(self, function: str) -> Path:
        """The access log of `function`."""
        return self.home / "access" / f"{function}.jsonl"

    def token(self, function: str) -> Path:
        """The file with the function's token, for `preheat invoke`."""
        return self.home / "tokens" / function

    def webhook_secret(self, function: str) -> Path:
        """The file with the key that signs the function's webhooks, for whoever receives them."""
        return self.home / "tokens" / f"{function}.webhook"

    def secrets(self, function: str) -> Path:
        """The folder with the values of the function's secrets, one file a release."""
        return self.home / "secrets" / function

    def tmp(self, function: str) -> Path:
        """The folder that holds the scratch folders of the function's workers."""
        return self.home / "tmp" / function

    @property
    def sockets(self) -> Path:
        """The folder for Unix sockets: a path of one may have about 100 bytes, and a home may be deep."""
        digest = hashlib.sha256(os.fsencode(self.home.resolve())).hexdigest()[:12]
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if len(runtime) < LONGEST_RUNTIME and os.access(runtime, os.W_OK) and _ours_alone(Path(runtime)):
            return Path(runtime) / "preheat" / digest
        return Path(f"/tmp/preheat-{os.getuid()}") / digest  # noqa: S108  # make_sockets looks at its owner

    def make_sockets(self) -> Path:
        """Make the folder for sockets and return it.

        Raises ProviderError where somebody else owns it or the folder it lies in, whose owner could
        put another in its place.
        """
        self.make_sockets_parent()
        return private_folder(self.sockets, hint=OWN_SOCKETS)

    def make_sockets_parent(self) -> Path:
        """Make the folder that those for sockets lie in and return it. Raises as `make_sockets` does."""
        return private_folder(self.sockets.parent, hint=OWN_SOCKETS)


def private_folder(folder: Path, *, hint: str | None = None) -> Path:
    """Make `folder` with mode 0700 and return it; raises ProviderError where somebody else owns it."""
    with suppress(FileExistsError):  # a file, or a link to nothing
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ProviderError(
            f"{folder} belongs to another user or is no folder, so what is kept there would not be private.",
            hint=hint or f"See whose it is: ls -ld {folder}",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def _ours_alone(folder: Path) -> bool:
    """Say whether nobody else can put anything into `folder`, which exists."""
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & WRITABLE_BY_OTHERS


def private_file(path: Path, text: str) -> None:
    """Write `text` to `path` with mode 0600, atomically."""
    private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
