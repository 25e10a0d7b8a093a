from dataclasses import replace

from tests.fakes.starts import FIGURES, sample

from preheat.coldstart.figures import figures_of, typical_imports, verdict_of
from preheat.coldstart.model import Bare, Condition, Import, Spread, Verdict
from preheat.project.model import Coldstart


def bare(total_ms: float) -> Bare:
    return Bare(total_ms=total_ms, import_ms=1.0, session_ms=1.0)


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    samples = [sample(total_ms=total) for total in (100.0, 300.0, 110.0)]
    found = figures_of(Condition(), samples, [bare(50.0), bare(100.0), bare(11.0)])
    assert found.ratio == 3.0  # of 2, 3 and 10; that of the medians would be 2.2
    assert found.bare_ms == 50.0
    assert found.total_ms.p50 == 110.0


def test_a_kernel_that_tells_no_reads_leaves_them_out() -> None:
    found = figures_of(Condition(), [sample(read_bytes=None)], [bare(1.0)])
    assert found.read_bytes is None


def test_a_budget_in_ms_is_about_the_upper_end() -> None:
    figures = replace(FIGURES, total_ms=Spread(100.0, 120.0))
    assert verdict_of(Coldstart(p95_ms=110.0), figures) == Verdict(key="p95_ms", limit=110.0, measured=120.0)


def test_a_ratio_is_about_the_ratio() -> None:
    assert verdict_of(Coldstart(ratio=3.0), FIGURES) == Verdict(key="ratio", limit=3.0, measured=2.5)


def test_what_is_judged_is_what_is_shown() -> None:
    just_over = replace(FIGURES, total_ms=Spread(100.0, 110.04), ratio=3.004)
    for budget in (Coldstart(p95_ms=110.0), Coldstart(ratio=3.0)):
        verdict = verdict_of(budget, just_over)
        assert verdict is not None
        assert verdict.kept
    verdict = verdict_of(Coldstart(p95_ms=110.0), replace(FIGURES, total_ms=Spread(100.0, 110.06)))
    assert verdict is not None
    assert (verdict.measured, verdict.kept) == (110.1, False)


def test_without_a_budget_there_is_no_verdict() -> None:
    assert verdict_of(Coldstart(), FIGURES) is None


def test_imports_have_the_median_of_those_runs_that_have_them() -> None:
    def one(ms: float) -> Import:
        return Import(name="numpy", ms=ms, self_ms=ms / 2, asked_by="app")

    assert typical_imports([[one(10.0)], [one(90.0)], [], [one(12.0)]]) == (one(12.0),)
