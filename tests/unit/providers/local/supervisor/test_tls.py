import fcntl
import os
import ssl
import stat
import threading
from pathlib import Path

import pytest
from tests.fakes.patience import PATIENCE_S

from preheat.errors import ProviderError
from preheat_providers.local.supervisor.tls import client_context, make_certificates, server_context


def test_the_authority_is_made_once_and_its_keys_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    certificate = make_certificates(folder)
    before = certificate.read_bytes()
    assert make_certificates(folder) == certificate
    assert certificate.read_bytes() == before
    for key in ("ca-key.pem", "server.pem"):
        assert stat.S_IMODE((folder / key).stat().st_mode) == 0o600
    assert server_context(folder).get_ca_certs() == []
    (trusted,) = client_context(folder).get_ca_certs()
    assert "Preheat" in str(trusted["subject"])


def test_who_comes_while_another_makes_them_takes_those(tmp_path: Path) -> None:
    coming = threading.Thread(target=make_certificates, args=(tmp_path,))
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        coming.start()
        for name in ("ca.pem", "server.pem"):
            (tmp_path / name).write_text("of the other")
    finally:
        os.close(folder)
    coming.join(PATIENCE_S)
    assert not coming.is_alive()
    assert {path.name for path in tmp_path.iterdir()} == {"ca.pem", "server.pem"}
    assert {path.read_text() for path in tmp_path.iterdir()} == {"of the other"}


def test_a_missing_certificate_is_an_error_that_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"server\.pem cannot be read"):
        server_context(tmp_path)
    (tmp_path / "server.pem").write_text("no certificate")
    with pytest.raises(ProviderError) as caught:
        server_context(tmp_path)
    assert isinstance(caught.value.__cause__, ssl.SSLError)
