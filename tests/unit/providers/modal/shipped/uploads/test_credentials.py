import pytest

from preheat.errors import ProviderError
from preheat_providers.modal.shipped.uploads.credentials import Access

ROLE = "arn:aws:iam::111122223333:role/reader"


def test_a_container_without_modals_token_cannot_take_a_role() -> None:
    with pytest.raises(ProviderError, match=f"no MODAL_IDENTITY_TOKEN.*{ROLE}"):
        Access(role=ROLE, region=None, environ={}).storage()
