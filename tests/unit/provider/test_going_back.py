import pytest

from preheat.provider.going_back import release_before


@pytest.mark.parametrize(
    ("active", "served", "before"),
    [
        pytest.param(3, 1, 1, id="release 2 was rolled back to 1 before 3 came"),
        pytest.param(3, 2, 2, id="one after another"),
        pytest.param(3, None, 2, id="nobody knows what served"),
        pytest.param(2, 3, 1, id="a second rollback goes on, not to where the first came from"),
        pytest.param(4, 0, 3, id="what served is gone"),
        pytest.param(1, 3, None, id="there is nothing earlier"),
    ],
)
def test_a_rollback_goes_to_what_served_before(active: int, served: int | None, before: int | None) -> None:
    assert release_before(active, (3, 2, 1), served=served) == before
