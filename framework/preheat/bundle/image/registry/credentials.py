"""Who we are to a registry, as `docker login` left it: config.json, or the helper that it names.

`auths` holds user and password; `credHelpers` and `credsStore` name programs `docker-credential-NAME`, whose
protocol is https://github.com/docker/docker-credential-helpers (read 2026-11-21).
"""

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from preheat.bundle.image.reference import DOCKER_HUB
from preheat.bundle.image.registry.problems import RegistryError

HELPER_TIMEOUT_S = 30
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
_TOKEN_USER = "<token>"  # noqa: S105 - what a helper calls the user whose secret is an identity token
_NO_CREDENTIALS = "credentials not found"


@dataclass(frozen=True, slots=True)
class Login:
    """A user and password; with `identity`, the password is an OAuth2 refresh token."""

    user: str
    password: str = field(repr=False)
    identity: bool = False

    @property
    def basic(self) -> str:
        """The header that carries it."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


Logins = Callable[[str], Login | None]
"""Gives the login for a registry (its host), None for none. A cloud's own is passed in this way too."""


def anonymous(_registry: str) -> Login | None:
    """Have no login anywhere."""
    return None


class DockerLogins:
    """Reads `config.json` in $DOCKER_CONFIG or ~/.docker when first asked."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        folder = environ.get("DOCKER_CONFIG")
        self._path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"

    def __call__(self, registry: str) -> Login | None:
        """Return the login for `registry`. Raises RegistryError for a file or helper that cannot be used."""
        config = self._read()
        keys = (
            _HUB_KEYS if registry == DOCKER_HUB else (registry, f"https://{registry}", f"https://{registry}/")
        )
        helpers = _table(config.get("credHelpers"))
        for key in keys:
            if helper := helpers.get(key):
                return self._ask(str(helper), key)
        auths = _table(config.get("auths"))
        for key in keys:
            if (entry := _table(auths.get(key))) and (login := self._login(key, entry)):
                return login
        if store := config.get("credsStore"):
            return self._ask(str(store), keys[0])
        return None

    def _read(self) -> Mapping[str, Any]:
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as exc:
            raise RegistryError(
                f"{self._path} cannot be read: {exc}.", hint="Correct it, or log in anew: docker login"
            ) from exc
        return _table(document)

    def _login(self, key: str, entry: Mapping[str, Any]) -> Login | None:
        if token := entry.get("identitytoken"):
            return Login(_TOKEN_USER, str(token), identity=True)
        if not entry.get("auth"):
            return None
        try:
            text = base64.b64decode(str(entry["auth"]), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise RegistryError(
                f"{self._path} holds a broken login for {key}.", hint=f"Log in anew: docker login {key}"
            ) from exc
        user, _, password = text.partition(":")
        return Login(user, password)

    def _ask(self, helper: str, key: str) -> Login | None:
        program = f"docker-credential-{helper}"
        try:
            done = subprocess.run(
                [program, "get"],
                input=key,
                capture_output=True,
                text=True,
                timeout=HELPER_TIMEOUT_S,
                check=False,
                env=dict(self._environ),
            )
        except FileNotFoundError as exc:
            raise RegistryError(
                f"{self._path} names the credential helper {program}, which is not on PATH.",
                hint=f"Install it, or remove {helper!r} from {self._path}.",
            ) from exc
        except subprocess.TimeoutExpired as exc:
            raise RegistryError(f"{program} did not answer within {HELPER_TIMEOUT_S} s.") from exc
        if done.returncode:
            said = (done.stdout + done.stderr).strip()
            if _NO_CREDENTIALS in said:
                return None
            raise RegistryError(f"{program} failed for {key}: {said[:200]}", hint=f"docker login {key}")
        try:
            answer = json.loads(done.stdout)
            user, secret = str(answer["Username"]), str(answer["Secret"])
        except (ValueError, KeyError, TypeError) as exc:
            raise RegistryError(f"{program} answered what is no login for {key}.") from exc
        return Login(user, secret, identity=user == _TOKEN_USER)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
