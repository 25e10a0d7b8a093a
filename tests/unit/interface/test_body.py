from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import numpy
import pytest

from preheat.errors import BadInput, BodyTooLarge, HandlerFailed, UnsupportedMedia
from preheat.interface.body import decode_body, encode_body, input_media, output_media
from preheat.interface.codec import codec_for
from preheat.interface.manifest import Limits
from preheat.interface.media import NPY, File, Image, Tensor

FORM = "multipart/form-data; boundary=X"


@dataclass
class Upload:
    file: File
    title: str
    count: int = 1
    tags: list[str] | None = None
    raw: bytes = b""


class Album(TypedDict):
    pages: list[File]


def read(annotation: Any, body: bytes, content_type: str) -> Any:
    return decode_body(codec_for(annotation), body, content_type, Limits())


def form(*parts: tuple[str, str, bytes]) -> bytes:
    """Parts as (parameters of the disposition, content type or nothing, content)."""
    body = b""
    for parameters, content_type, content in parts:
        head = f"Content-Disposition: form-data; {parameters}\r\n"
        head += f"Content-Type: {content_type}\r\n" if content_type else ""
        body += b"--X\r\n" + head.encode() + b"\r\n" + content + b"\r\n"
    return body + b"--X--\r\n"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/ld+json",
        "",
    ],
)
def test_json_is_read_under_each_of_its_names(content_type: str) -> None:
    assert read(dict[str, int], b'{"a": 1}', content_type) == {"a": 1}


def test_a_file_is_read_raw_with_its_media_type() -> None:
    assert read(File, b"%PDF", "application/pdf") == File(b"%PDF", "application/pdf")
    assert read(File, b"%PDF", "") == File(b"%PDF", "application/octet-stream")
    assert read(File, b"{}", "application/geo+json") == File(b"{}", "application/geo+json")


def test_application_json_is_json_also_for_a_file() -> None:
    assert read(File, b'{"data": "aGk=", "media_type": "text/plain"}', "application/json") == File(
        b"hi", "text/plain"
    )


def test_text_and_bytes_are_read_raw() -> None:
    assert read(str, "ä".encode(), "text/plain; charset=utf-8") == "ä"
    assert read(bytes, b"\xff", "application/octet-stream") == b"\xff"
    with pytest.raises(BadInput, match="not UTF-8"):
        read(str, b"\xff", "text/plain")
    with pytest.raises(UnsupportedMedia, match="'latin-1' is not read; send UTF-8"):
        read(str, b"\xff", "text/plain; charset=latin-1")


def test_an_optional_file_is_read_raw_too() -> None:
    assert read(File | None, b"x", "text/csv") == File(b"x", "text/csv")
    assert read(File | None, b"null", "application/json") is None


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/png", "application/x-npy", "multipart/form-data; boundary=X"]
)
def test_a_media_type_that_cannot_be_read_is_told_what_can(content_type: str) -> None:
    with pytest.raises(UnsupportedMedia, match="Accepted are application/json"):
        read(dict[str, int], b"{}", content_type)


def test_the_type_that_curl_sends_by_itself_has_a_hint() -> None:
    with pytest.raises(UnsupportedMedia, match="add -H 'content-type: application/json'"):
        read(dict[str, int], b"{}", "application/x-www-form-urlencoded")


def test_a_body_over_the_limit_is_not_looked_at() -> None:
    with pytest.raises(BodyTooLarge, match="The body has 11 bytes; the limit is 10"):
        decode_body(codec_for(str), b"\xff" * 11, "application/json", Limits(body_bytes=10))


def test_nesting_beyond_the_projects_limit_is_refused() -> None:
    with pytest.raises(BadInput, match="deeper than 2"):
        decode_body(codec_for(Any), b"[[[]]]", "application/json", Limits(depth=2))


def test_a_form_fills_a_dataclass() -> None:
    body = form(
        ('name="file"; filename="a.png"', "image/png", b"\x89PNG"),
        ('name="title"', "", b"12"),
        ('name="count"', "", b"3"),
        ('name="tags"', "application/json", b'["a"]'),
        ('name="raw"', "", b"\x00\r\n"),
    )
    assert read(Upload, body, FORM) == Upload(
        File(b"\x89PNG", "image/png", "a.png"), "12", 3, ["a"], b"\x00\r\n"
    )


def test_a_forms_files_of_one_name_make_a_list() -> None:
    body = form(*((f'name="pages"; filename="{name}"', "", b"x") for name in "ab"))
    octets = "application/octet-stream"
    assert read(Album, body, FORM) == {"pages": [File(b"x", octets, "a"), File(b"x", octets, "b")]}


def test_a_form_with_one_file_is_that_file() -> None:
    assert read(File, form(('name="any"; filename="a"', "text/csv", b"1,2")), FORM) == File(
        b"1,2", "text/csv", "a"
    )
    with pytest.raises(BadInput, match="one part, the file; got 2"):
        read(File, form(('name="a"', "", b""), ('name="b"', "", b"")), FORM)


def test_a_file_input_left_empty_is_absent() -> None:
    body = form(('name="file"; filename=""', "application/octet-stream", b""), ('name="title"', "", b"a"))
    with pytest.raises(BadInput) as caught:
        read(Upload, body, FORM)
    assert caught.value.errors == (("", "'file' is missing"),)


@pytest.mark.parametrize(
    ("parts", "errors"),
    [
        ([('name="titel"', "", b"a")], {"/titel": "unknown key; did you mean 'title'?"}),
        ([('name="count"', "", b"x")], {"/count": "The body is not JSON"}),
        ([('name="title"', "", b"\xff")], {"/title": "The body is not UTF-8"}),
        ([('name="title"', "", b"a"), ('name="title"', "", b"b")], {"/title": "stands twice"}),
    ],
)
def test_a_wrong_part_is_named(parts: list[tuple[str, str, bytes]], errors: dict[str, str]) -> None:
    with pytest.raises(BadInput) as caught:
        read(Upload, form(*parts), FORM)
    found = dict(caught.value.errors)
    for pointer, detail in errors.items():
        assert found[pointer].startswith(detail)


@pytest.mark.parametrize(
    ("annotation", "value", "accept", "content_type", "body"),
    [
        (dict[str, str], {"a": "ä"}, "*/*", "application/json", '{"a":"ä"}'.encode()),
        (dict[str, str], {}, "text/html", "application/json", b"{}"),
        (str, "a", "", "application/json", b'"a"'),
        (File, File(b"x", "text/csv", "a"), "*/*", "text/csv", b"x"),
        (File, File(b"x", "text/csv", "a"), "text/*, application/json;q=0.5", "text/csv", b"x"),
        (
            File,
            File(b"x", "text/csv", "a"),
            "application/json",
            "application/json",
            b'{"data":"eA==","media_type":"text/csv","name":"a"}',
        ),
        (Image, Image(b"x", "image/png"), "image/*", "image/png", b"x"),
        (File | None, None, "*/*", "application/json", b"null"),
        (bytes, b"x", "*/*", "application/octet-stream", b"x"),
        (bytes, b"x", "application/json, */*;q=0.1", "application/json", b'"eA=="'),
    ],
)
def test_a_result_comes_as_accept_likes_it(
    annotation: Any, value: Any, accept: str, content_type: str, body: bytes
) -> None:
    assert encode_body(codec_for(annotation), value, accept) == (content_type, body)


def test_an_array_is_json_unless_npy_is_asked_for() -> None:
    codec = codec_for(Annotated[numpy.ndarray, Tensor("int8", (2,))])
    array = numpy.array([1, 2], "int8")
    assert encode_body(codec, array, "*/*") == ("application/json", b"[1,2]")
    assert encode_body(codec, array, "application/x-npy;q=0.5, application/json")[0] == "application/json"
    assert encode_body(codec, array, "application/x-npy, application/json;q=0.5")[0] == NPY


def test_a_raw_result_is_checked_as_well() -> None:
    with pytest.raises(HandlerFailed):
        encode_body(codec_for(File), b"bytes", "*/*")


def test_the_media_types_of_inputs_and_results_are_listed() -> None:
    tensor = codec_for(Annotated[numpy.ndarray, Tensor("int8", (2,))])
    assert input_media(codec_for(int)) == ("application/json",)
    assert input_media(codec_for(str)) == ("text/plain", "application/json")
    assert input_media(codec_for(Upload)) == ("application/json", "multipart/form-data")
    assert input_media(codec_for(Image)) == (
        "image/*",
        "application/octet-stream",
        "application/json",
        "multipart/form-data",
    )
    assert input_media(tensor) == (NPY, "application/json")
    assert output_media(tensor) == ("application/json", NPY)
    assert output_media(codec_for(File)) == ("*/*", "application/json")
