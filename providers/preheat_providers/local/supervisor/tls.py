"""A local certificate authority and the endpoints' certificate: made once for a home.

`make_certificates` runs in the client, so that the supervisor never loads a cryptography library
beyond the standard one.
"""

import fcntl
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from preheat.errors import ProviderError
from preheat_providers.local.supervisor.paths import private_file, private_folder

AUTHORITY = "ca.pem"
SERVER = "server.pem"
NAMES = ("localhost", "127.0.0.1", "::1")


def authority(folder: Path) -> Path:
    """Return the file with the authority's certificate, which clients must trust."""
    return folder / AUTHORITY


def make_certificates(folder: Path) -> Path:
    """Make the authority and the server's certificate unless they exist; return the authority's file."""
    if not (folder / SERVER).exists():
        with _alone(private_folder(folder)):
            if not (folder / SERVER).exists():  # still: two deploys at once would mix their files
                _write_certificates(folder)
    return authority(folder)


def _write_certificates(folder: Path) -> None:
    import trustme  # its cryptography costs every other command 50 ms

    issuer = trustme.CA(organization_name="Preheat on this machine")
    server = issuer.issue_cert(*NAMES)
    chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
    authority(folder).write_bytes(issuer.cert_pem.bytes())
    private_file(folder / "ca-key.pem", issuer.private_key_pem.bytes().decode())
    private_file(folder / SERVER, (server.private_key_pem.bytes() + chain).decode())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others who want this out of `folder`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def server_context(folder: Path) -> ssl.SSLContext:
    """Return what serves HTTPS with that certificate. Raises ProviderError where it cannot be read."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(folder / SERVER)
    except (OSError, ssl.SSLError) as exc:
        raise ProviderError(
            f"The certificate {folder / SERVER} cannot be read: {exc}.",
            hint="Make a new one: preheat deploy --tls",
        ) from exc
    return context


def server_pem(folder: Path) -> bytes:
    """Return the server's private key and certificates. Raises ProviderError where they cannot be read."""
    server_context(folder)
    return (folder / SERVER).read_bytes()


def client_context(folder: Path) -> ssl.SSLContext:
    """Return what trusts exactly the local authority."""
    return ssl.create_default_context(cafile=str(authority(folder)))
