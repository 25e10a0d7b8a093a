"""wrk's questions and what it prints."""

import json

import pytest
from tests.bench.serving.answers import Address
from tests.bench.serving.dialects import PLAIN, inference_protocol
from tests.bench.serving.load import LoadFailed, parse, questions

SAID = {
    "requests": 1000,
    "duration_us": 2_000_000,
    "p50_us": 1500,
    "p99_us": 4000,
    "max_us": 9000,
    "failed": 3,
    "wrong": 7,
    "broken": 2,
}


def printed(**changes: int) -> str:
    return "Running 2s test @ http://127.0.0.1:1\n  1 threads\n" + json.dumps(SAID | changes) + "\n"


def test_only_right_answers_count_as_throughput() -> None:
    assert parse(printed()).rps == pytest.approx((1000 - 3 - 7) / 2)


def test_latencies_are_milliseconds() -> None:
    point = parse(printed())
    assert (point.p50_ms, point.p99_ms) == (1.5, 4.0)


def test_refused_answers_and_broken_connections_are_failures() -> None:
    point = parse(printed())
    assert (point.failed, point.wrong) == (5, 7)


def test_output_without_figures_is_no_measurement() -> None:
    with pytest.raises(LoadFailed, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_a_server_that_answers_nothing_is_no_measurement() -> None:
    with pytest.raises(LoadFailed, match="no request was answered"):
        parse(printed(requests=0, failed=0, wrong=0))


def test_the_questions_start_with_the_pattern_and_pair_each_body_with_its_first_number() -> None:
    lines = questions(Address(1, PLAIN), {"one": [3.0], "zwölf": [0.25, 7.0]}).splitlines()
    assert lines[0] == PLAIN.leading
    assert lines[1:] == ['3.0\t{"text":"one"}', '0.25\t{"text":"zw\\u00f6lf"}']


def test_a_text_with_tabs_and_newlines_stays_one_question() -> None:
    lines = questions(Address(1, inference_protocol(1)), {"a\tb\nc": [5.0]}).splitlines()
    assert len(lines) == 2
    assert lines[1].count("\t") == 1
