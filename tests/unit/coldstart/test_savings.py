from collections.abc import Sequence

import pytest
from tests.fakes.starts import SAMPLE, sample

from preheat.coldstart.model import Sample
from preheat.coldstart.savings import saving_of
from preheat.coldstart.trials import Trial

TRIAL = Trial(what="import boto3", how="import it in predict", run=lambda: SAMPLE)


def starts(figures: Sequence[tuple[float, float]]) -> list[Sample]:
    """Return starts of these totals and times of processors."""
    return [sample(total_ms=total, cpu_ms=cpu) for total, cpu in figures]


PLAIN = starts([(100, 80), (140, 82), (101, 80), (99, 79)])


def test_a_saving_is_the_median_of_the_rounds_own() -> None:
    tried = starts([(80, 60), (150, 62), (79, 60), (80, 60)])
    saving = saving_of(TRIAL, PLAIN, tried)
    assert saving is not None
    assert (saving.what, saving.how, saving.ms) == ("import boto3", "import it in predict", 19.5)


@pytest.mark.parametrize(
    "tried",
    [
        pytest.param([(99, 60), (139, 62), (100, 60), (98, 60)], id="less than two in a hundred"),
        pytest.param([(80, 80), (80, 82), (79, 80), (80, 79)], id="no time of processors saved"),
        pytest.param([(80, 60), (80, 90), (79, 60), (80, 90)], id="rounds disagree"),
        pytest.param([(120, 60), (160, 62), (130, 60), (120, 60)], id="slower"),
    ],
)
def test_what_may_be_chance_is_no_saving(tried: list[tuple[float, float]]) -> None:
    assert saving_of(TRIAL, PLAIN, starts(tried)) is None
