from pathlib import Path

from tests.fakes.provider import InMemoryProvider
from tests.fakes.warming import option

from preheat.findings import Finding
from preheat.project.model import Project
from preheat.provider.warm_options import LeastHours
from preheat.warming.possible import changed, possible


class Narrow(InMemoryProvider):
    """Takes two workers at most, and always says one thing that no option brings about."""

    def check(self, project: Project) -> tuple[Finding, ...]:
        always = Finding(message="The variable TOKEN is not set.")
        if project.scaling.min > 2:
            return (always, Finding(message="Two is the most."))
        return (always,)


PROJECT = Project(root=Path(), stage="dev", name="demo", handler="app:Model", provider={"narrow": {"a": 1}})


def test_an_option_that_the_platform_refuses_is_left_out_with_its_reason() -> None:
    options = (
        option(name="two", settings={"scaling.min": 2}),
        option(name="nine", settings={"scaling.min": 9}),
    )
    offered, refused = possible(Narrow("narrow"), PROJECT, options)
    assert [each.name for each in offered] == ["two"]
    assert refused == [("nine", "Two is the most.")]


def test_more_workers_than_run_at_most_are_left_out() -> None:
    hours = (LeastHours(cron="0 8 * * *", timezone="UTC", least=5),)
    options = (option(name="kept", least=3, most=2), option(name="by the hour", hours=hours, most=4))
    offered, refused = possible(Narrow("narrow"), PROJECT, options)
    assert offered == []
    assert refused == [
        ("kept", "2 workers are the most that run."),
        ("by the hour", "4 workers are the most that run."),
    ]


def test_settings_reach_the_scaling_and_the_table_of_the_provider() -> None:
    settings = {"scaling.idle_s": 60, "provider.narrow.b": 2, "provider.narrow.a": None}
    after = changed(PROJECT, "narrow", settings)
    assert (after.scaling.idle_s, dict(after.provider["narrow"])) == (60.0, {"b": 2})
    assert PROJECT.scaling.idle_s == 300.0
