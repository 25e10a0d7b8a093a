import pytest
from hypothesis import given
from hypothesis import strategies as st

from preheat.errors import BadInput
from preheat.interface.multipart import MAX_PARTS, split_form
from preheat.interface.nodes.node import Part


def part(head: bytes, data: bytes = b"data") -> bytes:
    return b"--X\r\n" + head + b"\r\n\r\n" + data + b"\r\n"


FIELD = b'Content-Disposition: form-data; name="a"'
END = b"--X--\r\n"


def test_parts_come_with_name_type_and_file_name() -> None:
    body = (
        part(FIELD)
        + part(
            b'content-disposition: form-data; name="f"; filename="x y.png"\r\nContent-Type: image/png',
            b"\r\n--Y",
        )
        + END
    )
    assert split_form(body, "X") == [
        ("a", Part(b"data", "", None)),
        ("f", Part(b"\r\n--Y", "image/png", "x y.png")),
    ]


def test_a_preamble_and_an_epilogue_are_skipped() -> None:
    assert split_form(b"hello\r\n" + part(FIELD) + END + b"bye", "X") == [("a", Part(b"data", ""))]


def test_names_are_unescaped_as_browsers_escape_them() -> None:
    body = part(b'Content-Disposition: form-data; name="a%22b"; filename="c%0D%0Ad\xc3\xa4%20"') + END
    assert split_form(body, "X") == [('a"b', Part(b"data", "", "c\r\ndä%20"))]


@given(st.lists(st.binary(), max_size=5))
def test_any_bytes_travel_unchanged(contents: list[bytes]) -> None:
    boundary = "b0undary-that-is-in-no-content"
    delimiter = b"--" + boundary.encode()
    body = b"".join(delimiter + b"\r\n" + FIELD + b"\r\n\r\n" + data + b"\r\n" for data in contents)
    found = split_form(body + delimiter + b"--", boundary)
    assert [part.data for _, part in found] == contents


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "does not hold the boundary"),
        (part(FIELD), "cut off"),
        (b"--X\r\n" + FIELD, "cut off"),
        (part(FIELD)[:-8], "cut off"),
        (b"--Xjunk\r\n" + FIELD + b"\r\n\r\n" + END, "not followed by a line break"),
        (part(b"X-Other: 1") + END, "part|Part 1.*needs Content-Disposition"),
        (part(b"Content-Disposition: form-data") + END, "needs Content-Disposition"),
        (part(FIELD + b"\r\nno header") + END, "a header that is none"),
        (part(FIELD + b"\r\nContent-Transfer-Encoding: base64") + END, "transfer encoding"),
        (part(FIELD + b"\r\nX: " + b"a" * 9000) + END, "too many"),
        (part(b"\xff\xfe: 1") + END, "not UTF-8"),
        (part(FIELD) * (MAX_PARTS + 1) + END, f"more than {MAX_PARTS} parts"),
    ],
)
def test_what_is_not_exactly_a_form_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        split_form(body, "X")


@pytest.mark.parametrize("boundary", ["", " ", "a" * 71, "a\r\nb", "ä"])
def test_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    with pytest.raises(BadInput, match="no valid boundary"):
        split_form(part(FIELD) + END, boundary)
