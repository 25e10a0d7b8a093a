import ssl
import stat
from pathlib import Path

import pytest

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


def test_a_missing_certificate_is_an_error_that_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"server\.pem cannot be read"):
        server_context(tmp_path)
    (tmp_path / "server.pem").write_text("no certificate")
    with pytest.raises(ProviderError) as caught:
        server_context(tmp_path)
    assert isinstance(caught.value.__cause__, ssl.SSLError)
