"""`preheat.File` and `preheat.Image`: raw on their own or as a part, base64 inside JSON."""

from typing import Any

from preheat.errors import BodyTooLarge
from preheat.interface.media import OCTETS, File, Image
from preheat.interface.nodes import scalars
from preheat.interface.nodes.node import Misfit, Node, Part, Reading
from preheat.interface.nodes.objects import object_schema, reader
from preheat.interface.nodes.unions import untagged_union
from preheat.interface.nodes.words import returned
from preheat.interface.place import Place, pointer


def file() -> Node:
    """Compile `preheat.File`."""
    fields = _fields()
    read_object = reader("File", fields, frozenset({"data"}), lambda found: File(**found))

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is not Part:
            return read_object(value, place, reading)
        try:
            return File(value.data, value.media_type, value.name)
        except ValueError as exc:
            return reading.wrong(place, str(exc))

    return Node(
        name="File",
        schema=object_schema("File", None, fields, frozenset({"data"}), {"media_type": OCTETS, "name": None}),
        read=read,
        write=_write_file,
        reads=frozenset({"object"}),
        matches=lambda value: isinstance(value, File),
        media=("*/*",),
        fields=fields,
    )


def image() -> Node:
    """Compile `preheat.Image`. Imports Pillow, now rather than at the first request."""
    from preheat.interface.pictures import NotAPicture, TooManyPixels, read_picture

    fields = _fields()
    read_object = reader("Image", fields, frozenset({"data"}), lambda found: found)

    def read(value: Any, place: Place, reading: Reading) -> Any:
        if type(value) is Part:
            data, name = value.data, value.name
        else:
            found = read_object(value, place, reading)
            if found is None:
                return None
            data, name = found["data"], found.get("name")
        try:
            decoded = read_picture(data, pixels=reading.limits.pixels - reading.pixels)
        except NotAPicture as exc:
            return reading.wrong(place, f"the image {exc}")
        except TooManyPixels as exc:
            left = f", left of {reading.limits.pixels} by those before it" if reading.pixels else ""
            detail = f"the image {exc}{left}"
            raise BodyTooLarge(
                f"{detail[0].upper()}{detail[1:]}.", errors=[(pointer(place), detail)]
            ) from exc
        reading.pixels += decoded.picture.width * decoded.picture.height
        return Image(data, decoded.media_type, name, decoded.picture)

    def write(value: Any, place: Place) -> dict[str, Any]:
        if not isinstance(value, Image):
            raise Misfit(place, returned("preheat.Image", value))
        return _write_file(value, place)

    return Node(
        name="Image",
        schema=object_schema("Image", None, fields, frozenset({"data"}), {"name": None}),
        read=read,
        write=write,
        reads=frozenset({"object"}),
        matches=lambda value: isinstance(value, Image),
        media=("image/*", OCTETS),
        fields=fields,
    )


def _fields() -> dict[str, Node]:
    name = untagged_union([scalars.text(), scalars.null()])
    return {"data": scalars.octets(), "media_type": scalars.text(), "name": name}


def _write_file(value: Any, place: Place) -> dict[str, Any]:
    if not isinstance(value, File):
        raise Misfit(place, returned("preheat.File", value))
    return {
        "data": scalars.write_bytes(value.data, (place, "data")),
        "media_type": value.media_type,
        "name": None if value.name is None else scalars.write_text(value.name, (place, "name")),
    }
