import pytest

from preheat_providers.modal.names import is_own_secret, own_secret

APP = "preheat-ocr-dev"


def test_other_values_have_another_secret_and_both_are_the_apps() -> None:
    one, other = own_secret(APP, "0123456789abcdef"), own_secret(APP, "1123456789abcdef")
    assert one != other
    assert is_own_secret(APP, one)
    assert is_own_secret(APP, other)


@pytest.mark.parametrize(
    "name", ["preheat-ocr-dev-env-of-mine", "preheat-ocr-dev-2-env-01234567", "preheat-ocr-dev-env-012345678"]
)
def test_a_secret_of_somebody_else_is_none_of_the_app(name: str) -> None:
    assert not is_own_secret(APP, name)
