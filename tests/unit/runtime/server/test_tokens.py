import pytest

from preheat.errors import Unauthorized
from preheat.runtime.server.tokens import bearer_check, open_door, token_hash

TOKEN = "correct-horse-battery-staple"


def test_the_right_token_opens() -> None:
    bearer_check(token_hash(TOKEN))({"authorization": f"Bearer {TOKEN}"})
    bearer_check(token_hash(TOKEN))({"authorization": f"bearer  {TOKEN}"})
    open_door({})


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic TOKEN", "TOKEN"])
def test_everything_else_does_not(value: str | None) -> None:
    headers = {} if value is None else {"authorization": value.replace("TOKEN", TOKEN)}
    with pytest.raises(Unauthorized):
        bearer_check(token_hash(TOKEN))(headers)


def test_the_hash_does_not_show_the_token() -> None:
    assert TOKEN not in token_hash(TOKEN)
