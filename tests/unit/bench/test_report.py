"""The tables, the document and the picture."""

import json
from xml.etree import ElementTree

import pytest
from tests.bench.serving.chart import svg
from tests.bench.serving.figures import Place, Point
from tests.bench.serving.memory import BARE
from tests.bench.serving.report import document, markdown
from tests.bench.serving.room import Room
from tests.bench.serving.run import Memory, Options, Overload, Run


@pytest.fixture
def run() -> Run:
    made = Run(Room(), Options(rounds=2, families=frozenset({"fastapi"})), lambda text: None)
    for number, factor in enumerate((1, 2)):
        for name, rps in (("preheat", 3000), ("fastapi", 1000), ("litserve", 100)):
            made.record.add(
                Place("noop", name, 32),
                number,
                Point(rps * factor, 1.5, 2.5, 500, probed=10, cpu_us=1e6 / rps),
            )
        made.record.add(Place("embedding", "raw-loop", 32), number, Point(500, None, None, 500))
    return made


def test_a_row_holds_medians_and_how_much_faster_we_are(run: Run) -> None:
    (row,) = (line for line in markdown(run).splitlines() if line.startswith("| FastAPI |"))
    assert row == "| FastAPI | 1,500 (1.5 / 2.5) | 3.00 | 1,000 |"


def test_we_are_not_compared_with_ourselves(run: Run) -> None:
    assert "| Preheat | 4,500 (1.5 / 2.5) |  | 333 |" in markdown(run)


def test_the_loop_without_a_server_has_no_latencies(run: Run) -> None:
    assert "| the loop without a server | 500 |  |  |" in markdown(run)


def test_whoever_is_left_out_is_named_with_the_reason_on_one_line(run: Run) -> None:
    run.not_installed("ray", "no wheel\nfor this Python")
    assert "* Left out: ray, every scenario. no wheel for this Python" in markdown(run)


def test_bad_answers_are_named_with_their_place(run: Run) -> None:
    run.record.add(Place("noop", "litserve", 1), 0, Point(1, 1, 1, 10, failed=2, wrong=1))
    assert "* LitServe, noop, c1: 3 bad." in markdown(run)


def test_memory_is_shown_beside_its_ratio_to_the_bare_script(run: Run) -> None:
    run.memory[BARE] = Memory(100, 110, None, 1, None)
    run.memory["Preheat"] = Memory(105, 121, 0.004, 2, 0.31)
    assert "| Preheat | 0.31 | 2 | 105 (1.05) | 121 (1.10) | 0.4 |" in markdown(run)


def test_overload_lists_every_round_with_what_became_of_the_requests(run: Run) -> None:
    run.capacity_rps.append(190.0)
    run.overload.append([Overload(4.0, 400, 100, 299, 0, 1, 640.0, 660.0, 1.5, 3.0)])
    assert "| 4 times capacity | 400 | 100 | 299 | 0 | 1 | 640.0 / 660.0 | 1.5 / 3.0 |" in markdown(run)


def test_the_document_is_json_and_says_whether_each_aim_was_met(run: Run) -> None:
    read = json.loads(json.dumps(document(run), allow_nan=False))
    met = {aim["what"]: aim["met"] for aim in read["aims"]}
    assert met["no-op, 32: throughput over FastAPI's"] is True
    assert met["embedding, 8: throughput over the best peer's"] is None
    assert {"scenario", "contender", "connections", "round", "rps"} <= set(read["points"][0])


def test_the_picture_is_well_formed_and_its_longest_bar_is_the_fastest(run: Run) -> None:
    root = ElementTree.fromstring(svg(run.record))
    name = "{http://www.w3.org/2000/svg}"
    widths = [float(bar.get("width", "0")) for bar in root.iter(f"{name}rect") if bar.get("width") != "100%"]
    labels = [text.text for text in root.iter(f"{name}text") if text.get("text-anchor") == "end"]
    assert labels[:3] == ["Preheat", "FastAPI", "LitServe"]
    assert widths[0] > widths[1] > widths[2] > 0
    assert widths[0] / widths[1] == pytest.approx(3.0, rel=0.01)
