from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from preheat.errors import ProviderError
from preheat_providers.modal.shipped.uploads.credentials import Access, exchange, identity_token

ROLE = "arn:aws:iam::111122223333:role/reader"


def test_a_container_without_modals_token_cannot_take_a_role() -> None:
    with pytest.raises(ProviderError, match=f"no MODAL_IDENTITY_TOKEN.*{ROLE}"):
        Access(role=ROLE, region=None, environ={}).storage()


class Sts:
    """AWS, which gives credentials for a token; they are to be renewed at once."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def create_client(self, service: str, **_: Any) -> "Sts":
        assert service == "sts"
        return self

    def assume_role_with_web_identity(self, **asked: Any) -> dict[str, Any]:
        self.tokens.append(asked["WebIdentityToken"])
        ends = datetime.now(UTC) + timedelta(minutes=2)
        keys = {"AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": ends}
        return {"Credentials": keys}


def test_a_token_that_modal_renews_is_read_again(tmp_path: Path) -> None:
    sts, file = Sts(), tmp_path / "token"
    file.write_text("first\n")
    environ = {"MODAL_IDENTITY_TOKEN_FILE": str(file), "MODAL_IDENTITY_TOKEN": "of the start"}
    credentials: Any = exchange(ROLE, None, environ, sts).load()  # type: ignore[arg-type]
    credentials.get_frozen_credentials()
    file.write_text("second\n")
    credentials.get_frozen_credentials()
    assert sts.tokens == ["first", "second"]


@pytest.mark.parametrize("file", [None, "", "absent"])
def test_without_the_file_the_token_is_that_of_the_start(file: str | None, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    path = {"MODAL_IDENTITY_TOKEN_FILE": str(tmp_path / (file or "empty"))} if file is not None else {}
    assert identity_token({**path, "MODAL_IDENTITY_TOKEN": "of the start"}) == "of the start"
