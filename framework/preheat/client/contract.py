"""What an endpoint says of itself at /schema, as far as the client acts on it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from preheat.interface.media import Tensor

Schema = Mapping[str, Any]

FORM = "multipart/form-data"
_ATTACHMENTS = ("File", "Image")
_TENSOR = "x-preheat-tensor"


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract document of one endpoint."""

    document: Mapping[str, Any]

    @property
    def title(self) -> str:
        """The handler's name."""
        return str(self.document["title"])

    @property
    def streams(self) -> bool:
        """Whether the handler yields."""
        return bool(self.document["stream"])

    @property
    def input_media(self) -> tuple[str, ...]:
        """The media types that an input may come in."""
        return tuple(self.document["input_media"])

    @property
    def input(self) -> Schema:
        """The schema of an input."""
        found: Schema = self.document["input"]
        return found

    @property
    def output_tensor(self) -> Tensor | None:
        """What an answer (or an item of a stream) must be, if it is an array."""
        return tensor_of(self.document["output"])

    def resolve(self, schema: Schema) -> Schema:
        """Return `schema`, or what it refers to; `{}`, which takes anything, where that is nowhere."""
        for _ in range(10):
            reference = schema.get("$ref")
            if reference is None:
                return schema
            name = str(reference).removeprefix("#/$defs/")
            schema = self.input.get("$defs", {}).get(name, {})
        return {}

    def alternatives(self, schema: Schema) -> Iterator[Schema]:
        """Yield the members of a union, or `schema` itself where it is none."""
        schema = self.resolve(schema)
        members = schema.get("anyOf") or schema.get("oneOf")
        for member in members or ():
            yield from self.alternatives(member)
        if not members:
            yield schema

    def field(self, name: str) -> Schema:
        """Return the schema of a field of the input, `{}` where it has no such field."""
        fields: Mapping[str, Schema] = self.resolve(self.input).get("properties", {})
        return fields.get(name, {})

    def tensor(self, schema: Schema) -> Tensor | None:
        """Return what an array for `schema` must be, or None where it asks for none."""
        found = (tensor_of(each) for each in self.alternatives(schema))
        return next((each for each in found if each is not None), None)

    def lists_attachments(self, schema: Schema) -> bool:
        """Tell whether `schema` is a list of what a form carries as parts."""
        return any(
            self._attaches(member)
            for each in self.alternatives(schema)
            if isinstance(each.get("items"), Mapping)
            for member in self.alternatives(each["items"])
        )

    def _attaches(self, schema: Schema) -> bool:
        file = schema.get("title") in _ATTACHMENTS and "media_type" in schema.get("properties", {})
        return file or "contentEncoding" in schema or _TENSOR in schema


def tensor_of(schema: Schema) -> Tensor | None:
    """Return what an array for exactly `schema` must be, or None."""
    spec = schema.get(_TENSOR)
    return None if spec is None else Tensor(spec["dtype"], tuple(spec["shape"]))
