"""What the client encodes, a handler decodes: every input through the interface's own reader and back."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy
import pytest

from preheat.client.contract import Contract
from preheat.client.encoding import encode_input
from preheat.client.uploads import Upload
from preheat.errors import BadInput
from preheat.interface.body import decode_body, input_media
from preheat.interface.codec import codec_for
from preheat.interface.manifest import Limits
from preheat.interface.media import File, Tensor

Vector = Annotated[numpy.ndarray[Any, Any], Tensor("float32", (None,))]


@dataclass
class Page:
    scan: File
    language: str
    tags: list[str] = field(default_factory=list)
    more: list[File] = field(default_factory=list)
    note: File | None = None


@dataclass
class Weighted:
    vector: Vector
    label: str


def contract_of(annotation: Any) -> Contract:
    codec = codec_for(annotation)
    media = list(input_media(codec))
    document = {"title": "M", "input": codec.schema, "output": {}, "stream": False, "input_media": media}
    return Contract(json.loads(json.dumps(document)))


def sent(value: Any, annotation: Any, boundary: str | None = "b" * 32) -> tuple[str, bytes]:
    content_type, body = encode_input(value, contract_of(annotation), boundary)
    return content_type, b"".join(body.chunks()) if isinstance(body, Upload) else body


def arrived(value: Any, annotation: Any) -> tuple[str, Any]:
    content_type, body = sent(value, annotation)
    got = decode_body(codec_for(annotation), body, content_type, Limits())
    return content_type.partition(";")[0], got


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / 'a "b"\\c.png'
    path.write_bytes(b"\x89PNG\r\n--" + b"b" * 31 + b"x\r\n")
    return path


def test_a_file_without_a_name_travels_as_its_bytes() -> None:
    assert arrived(File(b"in", "image/jpeg"), File) == ("image/jpeg", File(b"in", "image/jpeg"))


def test_bytes_travel_as_they_are() -> None:
    assert arrived(b"\x00\xff", bytes) == ("application/octet-stream", b"\x00\xff")


@pytest.mark.parametrize("media_type", ["text/csv", "application/json", "application/geo+json"])
def test_a_name_travels_with_its_file_in_a_form_of_one_part(media_type: str) -> None:
    named = File(b"{}", media_type, "räksmörgås;\"\\'.csv")
    assert arrived(named, File) == ("multipart/form-data", named)


def test_a_path_arrives_as_the_file_it_names(scan: Path) -> None:
    assert arrived(scan, File) == ("multipart/form-data", File.from_path(scan))
    assert arrived({"scan": scan, "language": "en"}, Page)[1] == Page(File.from_path(scan), "en")


def test_files_among_fields_travel_in_a_form_and_the_rest_as_json_parts(scan: Path) -> None:
    page = Page(File(b"\x00"), "ünï\r\n--", ["x"], [File(b"1", "text/plain", "1.txt"), File(b"2")])
    kind, got = arrived(page, Page)
    assert (kind, got) == ("multipart/form-data", page)


def test_an_empty_list_of_files_is_said_in_json() -> None:
    kind, got = arrived(Page(File(b"x"), "en", more=[]), Page)
    assert (kind, got) == ("application/json", Page(File(b"x"), "en"))
    assert arrived({"scan": File(b"x"), "language": "en", "tags": []}, Page)[0] == "multipart/form-data"


def test_an_input_without_files_travels_as_json_also_to_a_handler_that_takes_forms() -> None:
    @dataclass
    class Query:
        text: str
        file: File | None = None

    assert arrived({"text": "a"}, Query) == ("application/json", Query("a"))


def test_a_file_of_json_among_the_fields_stays_a_file() -> None:
    note = File(b"{}", "application/json", "n.json")
    for scan in (File(b"[1]", "application/json"), File(b"1", "image/png")):
        assert arrived({"scan": scan, "language": "en", "note": note}, Page)[1] == Page(scan, "en", note=note)


def test_an_array_travels_as_npy_and_keeps_its_values() -> None:
    array = numpy.arange(6, dtype=">f4")[::2]
    kind, got = arrived(array, Vector)
    assert (kind, got.tolist()) == ("application/x-npy", [0.0, 2.0, 4.0])


def test_an_array_among_the_fields_travels_as_a_part_in_npy() -> None:
    vector = numpy.ones(3, numpy.float32)
    kind, got = arrived({"vector": vector, "label": "a"}, Weighted)
    assert (kind, got.vector.tolist(), got.label) == ("multipart/form-data", [1, 1, 1], "a")
    assert b"NUMPY" in sent(Weighted(vector, "a"), Weighted)[1]


def test_an_array_for_a_list_of_numbers_is_written_as_json() -> None:
    assert arrived(numpy.arange(3), list[int]) == ("application/json", [0, 1, 2])
    assert arrived({"a": numpy.float32(0.5)}, dict[str, float])[1] == {"a": 0.5}


def test_an_array_of_another_dtype_is_refused_with_the_call_that_makes_it_one() -> None:
    with pytest.raises(BadInput, match=r"\.astype\('float32'\)"):
        sent(numpy.ones(3), Vector)
    with pytest.raises(BadInput, match=r"expected the shape \(any\), got \(1, 1\)"):
        sent(numpy.ones((1, 1), numpy.float32), Vector)


def test_a_dataclass_that_does_not_fit_itself_is_refused_with_the_place() -> None:
    with pytest.raises(BadInput, match="at /language: expected str, got int"):
        sent(Page(File(b"x"), 3), Page)  # type: ignore[arg-type]


def test_a_path_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for value in (tmp_path / "none.png", tmp_path):
        with pytest.raises(BadInput, match=r"cannot be sent: (No such file|Is a directory)"):
            sent(value, File)
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        sent([tmp_path / "none.png"], list[File])


def test_without_a_boundary_the_same_input_makes_the_same_bytes_and_another_one_others(scan: Path) -> None:
    first = sent({"scan": scan, "language": "en"}, Page, None)
    assert sent({"scan": scan, "language": "en"}, Page, None) == first
    scan.write_bytes(scan.read_bytes().replace(b"x", b"y"))
    assert sent({"scan": scan, "language": "en"}, Page, None)[0] != first[0]
