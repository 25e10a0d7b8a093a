from datetime import UTC, datetime
from math import inf

import pytest
from tests.fakes.timed_pool import replay_on_a_pool

from preheat.project.model import Scaling
from preheat.provider.warm_options import LeastHours
from preheat_providers.local.supervisor.keeping import Keeping, Kept

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()
HOURS = (
    LeastHours(cron="0 8 * * *", timezone="UTC", least=3),
    LeastHours(cron="0 18 * * *", timezone="UTC", least=0),
)


def test_without_a_policy_scaling_stays_as_it_is() -> None:
    assert Keeping(Scaling(min=1)).now(2, 0.0) == (Scaling(min=1), inf)


def test_hours_take_the_place_of_min_until_they_change() -> None:
    keeping = Keeping(Scaling(min=1, max=4), hours=HOURS, wall=lambda: NOON)
    assert keeping.now(0, 100.0) == (Scaling(min=3, max=4), 100.0 + 6 * 3600)


def test_hours_keep_no_more_than_max() -> None:
    assert Keeping(Scaling(max=2), hours=HOURS, wall=lambda: NOON).now(0, 0.0)[0].min == 2


def test_with_the_histogram_a_worker_stays_for_as_long_as_it_says_and_no_longer() -> None:
    keeping = Keeping(Scaling(max=2, idle_s=300), histogram=True)
    assert keeping.now(0, 0.0) == (Scaling(max=2, idle_s=0.0), inf)
    keeping.now(1, 1.0)
    scaling, until = keeping.now(0, 2.0)
    assert (scaling.warm, until) == (1, 302.0)
    assert keeping.now(0, until)[0].warm == 0


def test_a_regular_gap_lets_a_worker_go_and_brings_it_back_in_time() -> None:
    kept = Kept(1, 600.0)
    for each in range(20):
        kept.look(1, each * 1800.0)
        kept.look(0, each * 1800.0 + 1)
    last = 19 * 1800.0 + 1
    assert kept.look(0, last)[0] == 0
    again = kept.look(0, last)[1]
    assert again == pytest.approx(last + 29 * 60 * 0.9)
    count, until = kept.look(0, again)
    assert count == 1
    assert until == pytest.approx(last + 30 * 60 * 1.1)


def test_time_for_which_nobody_was_kept_counts_as_saved() -> None:
    kept = Kept(1, 600.0)
    for each in range(6):
        kept.look(1, each * 1800.0)
        kept.look(0, each * 1800.0 + 1)
    assert kept._gaps.saved[0] == 0.0, "five gaps were unknown and kept for the idle time"
    kept.look(1, 6 * 1800.0)
    assert kept._gaps.saved[0] == pytest.approx(600 - (1799 - 29 * 60 * 0.9))


def test_each_level_is_learned_by_itself() -> None:
    kept = Kept(2, 600.0)
    for each in range(20):
        for needed, after_s in ((1, 0.0), (0, 1.0), (2, 900.0), (0, 901.0)):
            kept.look(needed, each * 1800.0 + after_s)
    first = list(kept._idle)
    assert first[0].opens < first[1].opens


def test_a_pool_that_learned_its_gap_starts_a_worker_before_the_request() -> None:
    arrivals = [each * 1800.0 for each in range(30)]
    seen = replay_on_a_pool(arrivals, Scaling(max=1), cold_s=5, service_s=1, histogram=True)
    assert seen.cold == 6, "as long as nothing is known"
    assert seen.alive_s < 0.5 * arrivals[-1]
