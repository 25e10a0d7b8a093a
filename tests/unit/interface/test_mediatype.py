import pytest

from preheat.interface.mediatype import choose, in_range, parse_media_type

OFFERED = ("image/png", "application/json")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "image/png"),
        ("*/*", "image/png"),
        ("application/json", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("image/*", "image/png"),
        ("image/*;q=0.1, application/json;q=0.2", "application/json"),
        ("application/json;q=0.1, */*", "image/png"),
        ("image/png;q=0, */*;q=0.1", "application/json"),
        ("text/html", "image/png"),
        ("application/json;q=nonsense", "image/png"),
    ],
)
def test_accept_chooses_by_quality_then_by_our_order(accept: str, chosen: str) -> None:
    assert choose(accept, OFFERED) == chosen


@pytest.mark.parametrize(
    ("header", "parsed"),
    [
        ("Text/Plain", ("text/plain", {})),
        ("a/b; X=1;y = 2", ("a/b", {"x": "1", "y": "2"})),
        (r'a/b; x="1;\"2"; y=z', ("a/b", {"x": '1;"2', "y": "z"})),
        ("a/b; x=1; x=2", ("a/b", {"x": "1"})),
        ("", ("", {})),
    ],
)
def test_parameters_are_read_with_their_quotes(header: str, parsed: object) -> None:
    assert parse_media_type(header) == parsed


def test_ranges_hold_what_they_name() -> None:
    assert in_range("image/png", "image/*")
    assert not in_range("imagery/png", "image/*")
