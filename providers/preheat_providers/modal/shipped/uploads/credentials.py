"""How a container signs in to AWS: with the role that trusts Modal, or keys that a Secret has. Ships.

With a role, Modal's own token for the container says who asks, and no key is kept anywhere:
https://modal.com/docs/guide/oidc-integration.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from preheat.errors import ProviderError

if TYPE_CHECKING:
    from botocore.credentials import CredentialProvider
    from botocore.session import Session as CoreSession
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from preheat.runtime.objects.storage import Storage
    from preheat_providers.modal.shipped.uploads.polling import Queue

TOKEN, TOKEN_FILE = "MODAL_IDENTITY_TOKEN", "MODAL_IDENTITY_TOKEN_FILE"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""What a Secret has to have where there is no role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How this container is let in: as `role`, or with the keys of `environ`; without `region`, AWS's own."""

    role: str | None
    region: str | None
    environ: Mapping[str, str]

    def storage(self) -> "Storage":
        """Return every bucket that it may use."""
        from preheat.runtime.objects.storage import S3Storage

        client: S3Client = self._client("s3")
        return S3Storage(client)

    def queue(self, url: str) -> "Queue":
        """Return the queue at `url`."""
        from preheat_providers.modal.shipped.uploads.queue import SqsQueue

        client: SQSClient = self._client("sqs")
        return SqsQueue(client, url)

    def _client(self, service: str) -> Any:
        from boto3 import Session
        from botocore.config import Config
        from botocore.credentials import CredentialResolver
        from botocore.session import get_session

        core = get_session()
        if self.role is not None:
            resolver = CredentialResolver(providers=[exchange(self.role, self.region, self.environ, core)])
            core.register_component("credential_provider", resolver)
        config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
        return Session(botocore_session=core, region_name=self.region).client(service, config=config)


def identity_token(environ: Mapping[str, str]) -> str:
    """Return Modal's token for this container, empty where it has none.

    The file comes first: Modal writes it again as the token renews, and the variable keeps that of the start
    (modal/experimental/stream.py of modal 1.6.4).
    """
    with suppress(KeyError, OSError):
        if token := Path(environ[TOKEN_FILE]).read_text().strip():
            return token
    return environ.get(TOKEN, "")


def exchange(
    role: str, region: str | None, environ: Mapping[str, str], core: "CoreSession"
) -> "CredentialProvider":
    """Return what gives the SDK credentials for Modal's token, and new ones before they expire.

    Raises ProviderError where there is no token.
    """
    from botocore.credentials import (
        AssumeRoleWithWebIdentityCredentialFetcher,
        CredentialProvider,
        DeferredRefreshableCredentials,
    )

    if not identity_token(environ):
        raise ProviderError(f"The container has no {TOKEN}, which is to be exchanged for the role {role}.")
    fetcher = AssumeRoleWithWebIdentityCredentialFetcher(
        client_creator=partial(core.create_client, region_name=region),
        web_identity_token_loader=partial(identity_token, environ),
        role_arn=role,
        extra_args={"RoleSessionName": "preheat"},
    )

    class Exchange(CredentialProvider):
        METHOD = "assume-role-with-web-identity"

        def load(self) -> DeferredRefreshableCredentials:
            return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

    return Exchange()
