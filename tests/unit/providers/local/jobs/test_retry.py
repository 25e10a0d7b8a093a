import pytest

from preheat_providers.local.jobs.retry import Retry, verdict


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "succeeded"),
        (204, "succeeded"),
        (400, "failed"),
        (404, "failed"),
        (413, "failed"),
        (429, "busy"),
        (500, "again"),
        (502, "again"),
        (503, "again"),
        (504, "again"),
    ],
)
def test_only_what_may_pass_is_tried_again(status: int, expected: str) -> None:
    assert verdict(status) == expected


def test_delays_double_up_to_a_cap_and_half_of_each_is_random() -> None:
    retry = Retry(base_s=1, cap_s=5)
    assert [retry.delay_s(failures, lambda: 1.0) for failures in (1, 2, 3, 4, 2000)] == [1, 2, 4, 5, 5]
    assert [retry.delay_s(failures, lambda: 0.0) for failures in (1, 2, 3, 4)] == [0.5, 1, 2, 2.5]
