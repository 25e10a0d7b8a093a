"""Where the local provider keeps what: every path below one home, and the short folder for its sockets."""

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from preheat.errors import ProviderError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


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
        if runtime and len(runtime) < 50 and os.access(runtime, os.W_OK):
            return Path(runtime) / "preheat" / digest
        return Path(f"/tmp/preheat-{os.getuid()}") / digest  # noqa: S108  # its owner and mode are checked


def private_folder(folder: Path) -> Path:
    """Make `folder` with mode 0700 and return it; raises ProviderError where somebody else owns it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ProviderError(
            f"{folder} belongs to another user or is no folder, so sockets there would not be private.",
            hint=f"Remove it, or set XDG_RUNTIME_DIR to a folder of your own: ls -ld {folder}",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def private_file(path: Path, text: str) -> None:
    """Write `text` to `path` with mode 0600, atomically."""
    private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
