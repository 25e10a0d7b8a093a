import pytest

from preheat.errors import Unauthorized
from preheat_providers.local.supervisor.tokens import bearer_check, new_token, open_door, token_hash


def test_tokens_are_long_and_differ() -> None:
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) >= 43


def test_the_right_token_opens() -> None:
    token = new_token()
    bearer_check(token_hash(token))({"authorization": f"Bearer {token}"})
    bearer_check(token_hash(token))({"authorization": f"bearer  {token}"})
    open_door({})


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic TOKEN", "TOKEN"])
def test_everything_else_does_not(value: str | None) -> None:
    token = new_token()
    headers = {} if value is None else {"authorization": value.replace("TOKEN", token)}
    with pytest.raises(Unauthorized):
        bearer_check(token_hash(token))(headers)


def test_the_hash_does_not_show_the_token() -> None:
    token = new_token()
    assert token not in token_hash(token)
