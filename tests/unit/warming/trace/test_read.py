"""Files of arrivals, good and bad, and what is said of them."""

import gzip
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.fakes.traces import TEN, notes, read

from preheat.warming.trace.model import TraceError
from preheat.warming.trace.read import read_trace

DATA = Path(__file__).parents[3] / "data" / "azure-llm-code.csv.gz"


def test_the_public_trace_is_read_as_it_was_published() -> None:
    trace = read_trace(DATA)
    assert len(trace.arrivals) == 8819
    assert trace.duration_s == pytest.approx(57 * 60, rel=0.01)
    assert "read as UTC" in notes(trace)
    assert "0.95 h long" in notes(trace)


def test_a_table_may_lack_its_head(file: Path) -> None:
    trace = read(file, "2026-11-21T10:00:00Z\n2026-11-21T10:00:30Z\n")
    assert (trace.start, list(trace.arrivals)) == (TEN, [0.0, 30.0])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_are_found_by_their_names(file: Path, delimiter: str) -> None:
    rows = [["path", "Timestamp", "duration_ms"], ["/a", "1000", "250"], ["/b", "1060", "750"]]
    trace = read(file, "\n".join(delimiter.join(row) for row in rows))
    assert list(trace.arrivals) == [0.0, 60.0]
    assert trace.services_s is not None
    assert list(trace.services_s) == [0.25, 0.75]


def test_a_column_may_be_named(file: Path) -> None:
    assert list(read(file, "when,n\n5,a\n9,b\n", column="WHEN").arrivals) == [0.0, 4.0]


def test_rows_out_of_order_are_sorted_with_their_services_and_counted(file: Path) -> None:
    trace = read(file, "time,duration_ms\n100,1000\n50,2000\n70,3000\n")
    assert list(trace.arrivals) == [0.0, 20.0, 50.0]
    assert trace.services_s is not None
    assert list(trace.services_s) == [2.0, 3.0, 1.0]
    assert "1 of 3 arrivals came before the line above" in notes(trace)


def test_moments_without_a_zone_are_in_the_one_that_is_given(file: Path) -> None:
    trace = read(file, "time\n2026-11-21 11:00:00\n2026-11-21 11:00:09\n", zone=ZoneInfo("Europe/Berlin"))
    assert trace.start == TEN
    assert "read as Europe/Berlin" in notes(trace)


def test_moments_of_several_zones_are_one_order(file: Path) -> None:
    trace = read(file, "time\n2026-11-21T11:00:00+01:00\n2026-11-21T10:00:05Z\n")
    assert list(trace.arrivals) == [0.0, 5.0]
    assert "zone" not in notes(trace)


def test_a_long_silence_is_said(file: Path) -> None:
    moments = [*range(100), *range(100_000, 100_100)]
    trace = read(file, "time\n" + "\n".join(str(TEN + each) for each in moments))
    assert "For 27.8 h after 2026-11-21 10:01 UTC nothing came" in notes(trace)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("time\n", "has no request"),
        ("time\n5\n", "has one request"),
        ("time\n5\n5\n", "has one moment only"),
        ("a,b\n1,2\n", "has the columns a, b, and none of moments"),
        ("time\n5\nsoon\n", "line 3: 'soon' is no moment"),
        ("id,time\n1,5\n2\n", "line 3: '2' is no moment"),
        ("time,duration_ms\n5,fast\n6,1\n", "line 2: 'fast' is no number"),
        ("time,count\n5,-1\n6,1\n", "line 2: '-1' is no number of 0 or more"),
        ("time,count\n5,3\n", "fewer than two periods"),
        ("time,count\n0,1e9\n60,1\n", "counts 1e.09 requests, and 50,000,000 are the most"),
        ("time\n1e400\n5\n", "line 2: '1e400' is no moment"),
        ("time\n0\n1795255200\n", "from 1970-01-01 to 2026-11-21: 20,778 days, and 3,650 are the most"),
        ("x" * 200_000, "is no table: field larger than field limit"),
        ('time\n5\n"' + "6\n" * 100_000, "cannot be read up to line .*: field larger"),
        ("t\0i\0m\0e\0", "is no text in UTF-8"),
        ('{"a": 1}', "JSON without arrivals"),
        ('{"a": \n', "neither JSON nor lines of JSON"),
        ("[" * 100_000, "neither JSON nor lines of JSON"),
        ('{"Datapoints": []}', "fewer than two periods"),
        ('{"Datapoints": [{"Sum": 3}]}', "a period that cannot be read: KeyError: 'Timestamp'"),
        ('{"Datapoints": [{"Timestamp": "soon", "Sum": 3}]}', "'soon' does not match"),
        ('{"Datapoints": [{"Timestamp": 0, "Maximum": 3}]}', "has no Sum and no SampleCount"),
        ('{"Datapoints": [{"Timestamp": 0, "Sum": -3}]}', "-3 is no count"),
        ('{"MetricDataResults": [{"Timestamps": [1, 2], "Values": [NaN]}]}', "nan is no count"),
        ('{"MetricDataResults": [{"Timestamps": [1, 2], "Values": [1]}]}', "argument 2 is shorter"),
        ('{"MetricDataResults": [3]}', "a period that cannot be read: AttributeError"),
        ('{"Datapoints": [{"Timestamp": 0, "Sum": 3, "Unit": "Milliseconds"}]}', "no Sum and no SampleCount"),
    ],
)
def test_what_is_no_trace_says_what_is_wrong_and_where(file: Path, text: str, what: str) -> None:
    with pytest.raises(TraceError, match=what):
        read(file, text)


@pytest.mark.parametrize(
    "line",
    ['{"time": NaN}', '{"time": Infinity}', '{"time": -1}', '{"time": 7, "duration_ms": -1}', "[" * 100_000],
)
def test_a_line_of_a_log_that_cannot_be_is_no_request(file: Path, line: str) -> None:
    trace = read(file, f'{{"time": 5}}\n{line}\n{{"time": 9}}\n')
    assert list(trace.arrivals) == [0.0, 4.0]
    assert "1 lines of trace.csv are no requests" in notes(trace)


@pytest.mark.parametrize("text", ["time\n5\n6\n7\n", '{"time": 5}\n{"time": 6}\n{"time": 7}\n'])
def test_more_requests_than_are_replayed_end_the_reading(file: Path, text: str) -> None:
    assert len(read(file, text, most=3).arrivals) == 3
    with pytest.raises(TraceError, match="more than 2 requests") as refused:
        read_trace(file, most=2)
    assert "head -n" in str(refused.value.hint)


def test_a_day_without_a_zone_is_in_the_one_that_is_given(file: Path) -> None:
    trace = read(file, "date\n2026-11-21\n2026-11-22\n", zone=ZoneInfo("Europe/Berlin"))
    assert trace.start == TEN - 11 * 3600
    assert "read as Europe/Berlin" in notes(trace)


def test_a_column_that_is_not_there_is_refused_with_one_that_is(file: Path) -> None:
    with pytest.raises(TraceError, match="none called 'when'") as refused:
        read(file, "moment,b\n1,2\n", column="when")
    assert refused.value.hint == "--column moment"


def test_a_file_that_is_not_there_says_so(file: Path) -> None:
    with pytest.raises(TraceError, match="No such file"):
        read_trace(file)


def test_a_broken_archive_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "trace.csv.gz"
    broken.write_bytes(gzip.compress(b"time\n1\n2\n" * 100)[:-20])
    with pytest.raises(TraceError, match="cannot be read"):
        read_trace(broken)


def test_an_access_log_of_ours_gives_what_each_request_took(file: Path) -> None:
    events = [
        {"time": "2026-11-21T10:00:00.000Z", "event": "access", "model_ms": 20.0},
        {"time": "2026-11-21T10:00:01.000Z", "event": "access", "path": "/healthz"},
        {"time": "2026-11-21T10:00:02.000Z", "event": "worker-start"},
        {"time": "2026-11-21T10:00:03.000Z", "event": "access", "model_ms": 40.0},
    ]
    trace = read(file, "\n".join(map(json.dumps, events)) + "\nhalf a li")
    assert list(trace.arrivals) == [0.0, 3.0]
    assert trace.services_s is not None
    assert list(trace.services_s) == [0.02, 0.04]
    assert "3 lines of trace.csv are no requests" in notes(trace)


def test_the_common_and_the_combined_log_format_are_read(file: Path) -> None:
    lines = [
        '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326',
        '127.0.0.1 - - [10/Oct/2000:13:55:46 -0700] "POST /b HTTP/1.1" 200 1 "-" "curl/8"',
        "something else",
    ]
    trace = read(file, "\n".join(lines))
    assert (trace.start, list(trace.arrivals)) == (971211336.0, [0.0, 10.0])
    assert "1 lines of trace.csv are no requests" in notes(trace)


def test_reports_of_lambda_count_once_and_from_their_begin(file: Path) -> None:
    report = "REPORT RequestId: 0af1 \tDuration: {} ms\tBilled Duration: 300 ms"
    events = [
        {"timestamp": TEN * 1000, "message": "START RequestId: 0af1"},
        {"timestamp": TEN * 1000 + 250, "message": report.format("250.00")},
        {"timestamp": TEN * 1000 + 9500, "message": report.format("500.00")},
    ]
    trace = read(file, json.dumps({"events": events}, indent=1))
    assert (trace.start, list(trace.arrivals)) == (TEN, [0.0, 9.0])
    assert trace.services_s is not None
    assert list(trace.services_s) == [0.25, 0.5]


@pytest.mark.parametrize(
    "text",
    [
        '{"time": "2026-11-21T11:00:00"}\n{"time": "2026-11-21T11:00:09"}\n',
        '{"events": [{"timestamp": "2026-11-21 11:00:00"}, {"timestamp": "2026-11-21 11:00:09"}]}',
    ],
)
def test_moments_in_json_without_a_zone_are_in_the_one_that_is_given(file: Path, text: str) -> None:
    trace = read(file, text, zone=ZoneInfo("Europe/Berlin"))
    assert (trace.start, list(trace.arrivals)) == (TEN, [0.0, 9.0])
    assert "read as Europe/Berlin" in notes(trace)


@pytest.mark.parametrize(
    "text",
    [
        '{"MetricDataResults": [{"Timestamps": ["2026-11-21T11:00", "2026-11-21T12:00"], "Values": [9, 9]}]}',
        "timestamp,Sum\n2026-11-21T11:00:00,9\n2026-11-21T12:00:00,9\n",
    ],
)
def test_counts_without_a_zone_are_in_the_one_that_is_given(file: Path, text: str) -> None:
    trace = read(file, text, zone=ZoneInfo("Europe/Berlin"))
    assert TEN <= trace.start < TEN + 3600
    assert "read as Europe/Berlin" in notes(trace)


@pytest.mark.parametrize(
    "text",
    [
        "time,duration_ms\n5,100\n6,\n7,400\n9,200\n",
        '{"time": 5, "duration_ms": 100}\n{"time": 6}\n{"time": 7, "duration_ms": 400}\n'
        '{"time": 9, "duration_ms": 200}\n',
    ],
)
def test_a_request_that_does_not_say_what_it_took_counts_with_the_median(file: Path, text: str) -> None:
    trace = read(file, text)
    assert trace.services_s is not None
    assert list(trace.services_s) == [0.1, 0.2, 0.4, 0.2]
    assert "1 of 4 requests do not say what they took: 200 ms each" in notes(trace)


def test_the_first_request_may_be_the_one_that_does_not_say(file: Path) -> None:
    trace = read(file, '{"time": 5}\n{"time": 6, "duration_ms": 300}\n')
    assert trace.services_s is not None
    assert list(trace.services_s) == [0.3, 0.3]


@pytest.mark.parametrize(
    "document",
    [
        {"Datapoints": [{"Timestamp": TEN + 60, "Sum": 20.0}, {"Timestamp": TEN, "Sum": 10.0}]},
        {"MetricDataResults": [{"Timestamps": [TEN + 60, TEN], "Values": [20.0, 10.0]}]},
    ],
    ids=["get-metric-statistics", "get-metric-data"],
)
def test_counts_of_a_metric_are_spread_over_their_periods(file: Path, document: object) -> None:
    trace = read(file, json.dumps(document))
    moments = trace.start + trace.arrivals
    assert np.histogram(moments, [TEN, TEN + 60, TEN + 120])[0].tolist() == [10, 20]
    assert "counts requests by 60 s" in notes(trace)
    assert list(trace.arrivals) == list(read_trace(file).arrivals), "by the same seed"
    assert list(trace.arrivals) != list(read_trace(file, seed=1).arrivals)


def test_a_table_of_counts_is_one_of_periods(file: Path) -> None:
    trace = read(file, f"Timestamp,Sum\n{TEN},3\n{TEN + 300},0\n{TEN + 600},4\n")
    assert len(trace.arrivals) == 7
    assert "by 300 s" in notes(trace)


def test_a_large_file_is_read_line_by_line(file: Path) -> None:
    with file.open("w") as stream:
        stream.write("time\n")
        stream.writelines(f"{TEN + each / 10}\n" for each in range(200_000))
    trace = read_trace(file)
    assert len(trace.arrivals) == 200_000
    assert trace.arrivals[-1] == pytest.approx(19_999.9)
