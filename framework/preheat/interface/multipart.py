"""multipart/form-data bodies (RFC 7578), split strictly: what is not exactly as it should be is refused."""

import re

from preheat.errors import BadInput
from preheat.interface.mediatype import parse_media_type
from preheat.interface.nodes.node import Part

MAX_PARTS = 256
"""How many parts a body may have."""

MAX_HEAD_BYTES = 8 * 1024
"""How long the headers of one part may be together."""

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_VERBATIM = ("", "binary", "8bit", "7bit")


def split_form(body: bytes, boundary: str) -> list[tuple[str, Part]]:
    """Return the parts with their field names, in order. Raises BadInput.

    The media type of a part that names none is empty; its name is the file name, or None.
    """
    if not _BOUNDARY.fullmatch(boundary):
        raise BadInput("The multipart content type has no valid boundary (RFC 2046 5.1.1).")
    delimiter = b"\r\n--" + boundary.encode("ascii")
    # The first delimiter may open the body; after that each begins with the line break before it.
    text = b"\r\n" + body
    at = text.find(delimiter)
    if at < 0:
        raise BadInput("The multipart body does not hold the boundary that its content type names.")
    parts: list[tuple[str, Part]] = []
    while True:
        at += len(delimiter)
        if text[at : at + 2] == b"--":
            return parts
        start = _line_end(text, at)
        at = text.find(delimiter, start - 2)
        if at < 0:
            raise BadInput("The multipart body ends before its last boundary; was the upload cut off?")
        if len(parts) == MAX_PARTS:
            raise BadInput(f"The multipart body has more than {MAX_PARTS} parts.")
        parts.append(_part(text[start:at], len(parts) + 1))


def _line_end(text: bytes, at: int) -> int:
    end = text.find(b"\r\n", at)
    if end < 0 or text[at:end].strip(b" \t"):
        raise BadInput("A multipart boundary is not followed by a line break.")
    return end + 2


def _part(content: bytes, number: int) -> tuple[str, Part]:
    head, separator, data = content.partition(b"\r\n\r\n")
    if not separator or len(head) > MAX_HEAD_BYTES:
        raise BadInput(f"Part {number} of the multipart body has no end of its headers, or too many of them.")
    headers = _headers(head, number)
    disposition, parameters = parse_media_type(headers.get("content-disposition", ""))
    if disposition != "form-data" or "name" not in parameters:
        raise BadInput(
            f'Part {number} of the multipart body needs Content-Disposition: form-data; name="...".'
        )
    if headers.get("content-transfer-encoding", "").lower() not in _VERBATIM:
        raise BadInput(
            f"Part {number} of the multipart body has a transfer encoding; send the bytes as they are."
        )
    name = parameters.get("filename")
    return _unquoted(parameters["name"]), Part(
        data, headers.get("content-type", ""), None if name is None else _unquoted(name)
    )


def _headers(head: bytes, number: int) -> dict[str, str]:
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError as exc:
        raise BadInput(f"The headers of part {number} of the multipart body are not UTF-8.") from exc
    headers = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon or not key or key != key.strip():
            raise BadInput(f"Part {number} of the multipart body has a header that is none: {line[:40]!r}.")
        headers[key.lower()] = value.strip()
    return headers


def _unquoted(name: str) -> str:
    # What browsers escape, and nothing else (HTML 4.10.22.8).
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
