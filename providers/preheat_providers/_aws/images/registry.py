"""The image registry of the account, and who we are to it. Asks ECR."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from preheat.bundle.image.registry.credentials import Login, Logins
from preheat_providers._aws.errors import translated
from preheat_providers._aws.session import Session

ECR = re.compile(r"\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)")
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html"""

Reach = Callable[[str], str]
"""Gives the host by which a registry is reached from here: its own, but for an emulator."""


def directly(host: str) -> str:
    """Reach a registry by its own name."""
    return host


@dataclass
class Registry:
    """ECR in one account and region. It logs in once, and other registries by `others`."""

    session: Session
    others: Logins
    reach: Reach = directly
    _login: Login | None = field(default=None, init=False)
    _host: str = field(default="", init=False)

    @property
    def name(self) -> str:
        """What AWS calls it, which images are named by. Raises ProviderError."""
        self._authorize()
        return self._host

    @property
    def host(self) -> str:
        """Where images are pushed to. Raises ProviderError."""
        return self.reach(self.name)

    def __call__(self, registry: str) -> Login | None:
        """Return the login for a registry; a base image may lie in ECR too. Raises ProviderError."""
        ours = ECR.fullmatch(registry) or (self._login is not None and registry == self.host)
        return self._authorize() if ours else self.others(registry)

    def _authorize(self) -> Login:
        if self._login is None:
            client = self.session.client("ecr")
            with translated("ECR gives no login"):
                (given,) = client.get_authorization_token()["authorizationData"]
            user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
            self._login = Login(user, password)
            self._host = urlsplit(given["proxyEndpoint"]).netloc
        return self._login
