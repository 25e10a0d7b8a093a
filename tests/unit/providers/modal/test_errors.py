import inspect

import modal.exception
import pytest

from preheat.errors import Conflict, ProviderError
from preheat_providers.modal.errors import MEANINGS, kinds_of, refusal, translated

KINDS = [
    each
    for _, each in inspect.getmembers(modal.exception, inspect.isclass)
    if issubclass(each, modal.exception.Error)
]


def made(kind: type[modal.exception.Error]) -> modal.exception.Error:
    return kind("it said so", "im-1") if kind.__name__ == "ImageBuildError" else kind("it said so")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_modal_raises_is_told_as_ours_with_what_it_said(kind: type[modal.exception.Error]) -> None:
    with pytest.raises(ProviderError) as raised, translated("nothing can be done"):
        raise made(kind)
    assert raised.value.message.startswith("On Modal, nothing can be done: ")
    assert "it said so" in raised.value.message
    assert isinstance(raised.value.__cause__, kind)


def test_every_meaning_is_of_a_class_that_there_is() -> None:
    assert {name for name in MEANINGS if not hasattr(modal.exception, name)} == set()


@pytest.mark.parametrize("name", ["AuthError", "ConnectionError", "ResourceExhaustedError", "VersionError"])
def test_what_the_reader_can_mend_has_the_way_to(name: str) -> None:
    assert refusal("x", (name, "Error"), "").hint is not None


def test_a_missing_environment_is_told_from_other_things_that_are_missing() -> None:
    environment = refusal("x", ("NotFoundError", "Error"), "Environment 'prod' not found")
    volume = refusal("x", ("NotFoundError", "Error"), "Volume 'v' not found")
    assert "modal environment list" in str(environment.hint)
    assert volume.hint is None


def test_a_missing_token_is_told_from_one_that_is_not_accepted() -> None:
    missing = refusal("x", ("AuthError", "Error"), "Token missing. Could not authenticate client.")
    wrong = refusal("x", ("AuthError", "Error"), "Token ID is malformed or unknown")
    assert "no token was found" in missing.message
    assert "does not accept the token (Token ID is malformed" in wrong.message
    assert "modal token new" in str(missing.hint)


def test_a_change_by_somebody_else_is_a_conflict() -> None:
    assert isinstance(refusal("x", kinds_of(modal.exception.ConflictError), "busy"), Conflict)


def test_other_exceptions_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated("x"):
        raise ZeroDivisionError
