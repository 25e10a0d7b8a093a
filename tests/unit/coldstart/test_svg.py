from dataclasses import replace
from xml.etree import ElementTree

from tests.fakes.starts import RESULT

from preheat.coldstart.svg import WIDTH, svg

SPACE = "{http://www.w3.org/2000/svg}"


def bars(text: str) -> list[tuple[float, float]]:
    """Return where each bar begins and how long it is."""
    found = ElementTree.fromstring(text).findall(f"{SPACE}rect")
    return [(float(bar.attrib["x"]), float(bar.attrib["width"])) for bar in found if "x" in bar.attrib]


def test_every_phase_has_a_bar_inside_the_picture() -> None:
    found = bars(svg(RESULT))
    assert len(found) == len(RESULT.phases)
    assert all(x > 0 and x + width < WIDTH for x, width in found)


def test_bars_are_as_long_as_their_phases() -> None:
    (_, interpreter), (_, setup), *_ = bars(svg(RESULT))
    assert abs(setup / interpreter - 8) < 0.1


def test_a_bar_begins_where_the_one_before_ends() -> None:
    (x, width), (second, _), *_ = bars(svg(RESULT))
    assert abs(x + width - second) < 0.2


def test_names_cannot_break_the_picture() -> None:
    text = svg(replace(RESULT, name='<script>&"'))
    ElementTree.fromstring(text)
    assert "<script>" not in text
