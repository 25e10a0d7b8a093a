"""How a container signs in to AWS: with the role that trusts Modal, or keys that a Secret has. Ships.

With a role, Modal's own token for the container says who asks, and no key is kept anywhere:
https://modal.com/docs/guide/oidc-integration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from preheat.errors import ProviderError

if TYPE_CHECKING:
    from botocore.credentials import CredentialProvider
    from botocore.session import Session as CoreSession
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from preheat.runtime.objects.storage import Storage
    from preheat_providers.modal.shipped.uploads.polling import Queue

TOKEN = "MODAL_IDENTITY_TOKEN"  # noqa: S105 - the name of a variable
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
            exchange = CredentialResolver(providers=[_exchange(self.role, self.region, self.environ, core)])
            core.register_component("credential_provider", exchange)
        config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
        return Session(botocore_session=core, region_name=self.region).client(service, config=config)


def _exchange(
    role: str, region: str | None, environ: Mapping[str, str], core: "CoreSession"
) -> "CredentialProvider":
    """Return what gives the SDK credentials for Modal's token, and new ones before they expire."""
    from botocore.credentials import (
        AssumeRoleWithWebIdentityCredentialFetcher,
        CredentialProvider,
        DeferredRefreshableCredentials,
    )

    if not environ.get(TOKEN):
        raise ProviderError(f"The container has no {TOKEN}, which is to be exchanged for the role {role}.")
    fetcher = AssumeRoleWithWebIdentityCredentialFetcher(
        client_creator=partial(core.create_client, region_name=region),
        web_identity_token_loader=lambda: environ[TOKEN],
        role_arn=role,
        extra_args={"RoleSessionName": "preheat"},
    )

    class Exchange(CredentialProvider):
        METHOD = "assume-role-with-web-identity"

        def load(self) -> DeferredRefreshableCredentials:
            return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

    return Exchange()
