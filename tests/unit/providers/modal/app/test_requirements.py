import pytest

from preheat.bundle.lock import Pin
from preheat.errors import ProviderError
from preheat_providers.modal.app.requirements import requirements_text

HASH = "sha256:" + "a" * 64


def test_pins_are_lines_with_their_hashes_in_order() -> None:
    pins = [Pin("numpy==2.4.6", (HASH, HASH[:-1] + "b")), Pin("Fastapi==0.1", (HASH,))]
    assert requirements_text(pins) == (
        f"Fastapi==0.1 --hash={HASH}\nnumpy==2.4.6 --hash={HASH} --hash={HASH[:-1]}b\n"
    )


@pytest.mark.parametrize("place", ["./wheels/mine-1-py3-none-any.whl", "/wheels/mine-1-py3-none-any.whl"])
def test_a_wheel_of_this_machine_has_to_be_uploaded(place: str) -> None:
    with pytest.raises(ProviderError, match="file on this machine") as caught:
        requirements_text([Pin(place, (HASH,))])
    assert caught.value.hint == 'packages = "upload"  # in [provider.modal]'
