from collections.abc import Callable

import pytest

from preheat.errors import Located
from preheat.project.model import Project
from preheat.project.triggering import cron_problem

Load = Callable[..., Project]
Mistakes = Callable[..., tuple[Located, ...]]


def upload(name: str, *, bucket: str = "pictures", prefix: str = "", suffix: str = "", output: str) -> str:
    return (
        f'[triggers.{name}]\ntype = "object-created"\nbucket = "{bucket}"\nprefix = "{prefix}"\n'
        f'suffix = "{suffix}"\noutput = "{output}"\n'
    )


@pytest.mark.parametrize(
    ("prefix", "output"),
    [
        ("", "pictures"),
        ("", "pictures/results"),
        ("in/", "pictures/in/results"),
        ("in/", "pictures/in"),
        ("in", "pictures/inbox"),
        ("out/in/", "pictures/out"),
        ("results", "pictures/results"),
    ],
)
def test_an_output_whose_results_could_match_the_trigger_is_refused(
    mistakes: Mistakes, prefix: str, output: str
) -> None:
    (finding,) = mistakes(upload("up", prefix=prefix, output=output))
    assert (finding.key, finding.line) == ("triggers.up.output", 8)
    assert "would run it again" in finding.message
    assert str(finding.fix).startswith('output = "pictures-results')


@pytest.mark.parametrize(
    ("prefix", "output"),
    [
        ("", "results"),
        ("in/", "pictures/out"),
        ("in/", "pictures/inbox"),
        ("results-raw/", "pictures/results"),
    ],
)
def test_an_output_beside_the_trigger_is_accepted(load: Load, prefix: str, output: str) -> None:
    assert load(upload("up", prefix=prefix, output=output)).triggers[1].name == "up"


def test_a_suffix_does_not_excuse_a_loop_because_results_may_have_any(mistakes: Mistakes) -> None:
    (finding,) = mistakes(upload("up", suffix=".png", output="pictures/text"))
    assert finding.key == "triggers.up.output"


def test_two_triggers_that_feed_each_other_are_a_loop(mistakes: Mistakes) -> None:
    first, second = mistakes(
        upload("a", bucket="one-bucket", output="two-bucket")
        + upload("b", bucket="two-bucket", output="one-bucket")
    )
    assert "by way of triggers.b" in first.message
    assert "by way of triggers.a" in second.message


def test_a_loop_of_three_triggers_is_found(mistakes: Mistakes) -> None:
    ring = [("a", "b-b", "c-c"), ("b", "c-c", "d-d"), ("c", "d-d", "b-b")]
    found = mistakes("".join(upload(name, bucket=bucket, output=output) for name, bucket, output in ring))
    assert [finding.key for finding in found] == [f"triggers.{name}.output" for name in "abc"]


def test_a_chain_of_triggers_is_no_loop(load: Load) -> None:
    chain = upload("a", bucket="b-b", output="c-c") + upload("b", bucket="c-c", output="d-d")
    assert len(load(chain).triggers) == 3


@pytest.mark.parametrize(
    ("first", "second"),
    [({}, {}), ({"prefix": "a/"}, {"prefix": "a/b/"}), ({"suffix": ".gz"}, {"suffix": ".tar.gz"})],
)
def test_two_triggers_on_the_same_objects_are_refused(
    mistakes: Mistakes, first: dict[str, str], second: dict[str, str]
) -> None:
    (finding,) = mistakes(upload("x", output="out-x", **first) + upload("y", output="out-y", **second))
    assert finding.key == "triggers.y"
    assert "triggers.x" in finding.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"prefix": "a/"}, {"prefix": "b/"}),
        ({"suffix": ".png"}, {"suffix": ".jpg"}),
        ({"bucket": "one-bucket"}, {"bucket": "two-bucket"}),
    ],
)
def test_triggers_on_different_objects_are_accepted(
    load: Load, first: dict[str, str], second: dict[str, str]
) -> None:
    assert load(upload("x", output="out-x", **first) + upload("y", output="out-y", **second))


@pytest.mark.parametrize(
    ("field", "value", "fix"),
    [
        ("prefix", "/in/", 'prefix = "in/"'),
        ("prefix", "a/../b", 'prefix = "a/b"'),
        ("prefix", "a//b/", 'prefix = "a/b/"'),
        ("output", "results/../x", 'output = "results/x"'),
        ("output", "results//x", 'output = "results/x"'),
    ],
)
def test_a_key_that_would_leave_its_bucket_is_refused(
    mistakes: Mistakes, field: str, value: str, fix: str
) -> None:
    (finding,) = mistakes(upload("up", **{"output": "results", field: value}))
    assert (finding.key, finding.fix) == (f"triggers.up.{field}", fix)


@pytest.mark.parametrize("bucket", ["../x", "a/b", "UP", "ab", "-abc"])
def test_a_bucket_that_is_no_buckets_name_is_refused(mistakes: Mistakes, bucket: str) -> None:
    assert [finding.key for finding in mistakes(upload("up", bucket=bucket, output="results"))] == [
        "triggers.up.bucket"
    ]


def test_a_second_endpoint_is_refused(mistakes: Mistakes) -> None:
    (finding,) = mistakes('[triggers.api]\ntype = "http"\n[triggers.http]\nauth = "none"\n')
    assert (finding.key, finding.line) == ("triggers.api", 3)


def test_two_triggers_on_one_queue_are_refused(mistakes: Mistakes) -> None:
    queue = 'type = "queue"\nqueue = "letters"\n'
    (finding,) = mistakes(f"[triggers.a]\n{queue}[triggers.b]\n{queue}")
    assert (finding.key, finding.line) == ("triggers.b.queue", 8)


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("61 * * * *", "cannot read"),
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("0 0 30 2 *", "cannot read"),
        ("@daily", "1 fields"),
        ("a b c d e", "cannot read"),
    ],
)
def test_a_cron_that_says_no_time_is_refused(cron: str, problem: str) -> None:
    assert problem in str(cron_problem(cron))


@pytest.mark.parametrize("cron", ["* * * * *", "*/5 8-18 * * MON-FRI", "0 0 29 2 *", "0 3 L * *"])
def test_a_cron_that_says_a_time_is_accepted(cron: str) -> None:
    assert cron_problem(cron) is None


@pytest.mark.parametrize(
    ("timezone", "fix"),
    [("Europe/Berln", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("../../etc/passwd", "UTC")],
)
def test_an_unknown_time_zone_names_the_nearest(mistakes: Mistakes, timezone: str, fix: str) -> None:
    (finding,) = mistakes(f'[triggers.n]\ntype = "schedule"\ncron = "0 3 * * *"\ntimezone = "{timezone}"\n')
    assert (finding.key, finding.fix) == ("triggers.n.timezone", f'timezone = "{fix}"')
