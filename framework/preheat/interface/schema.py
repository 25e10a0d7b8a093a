"""Annotations to compiled types: everything that is looked at, is looked at here and once."""

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, Required

from preheat.interface.annotations import (
    TENSOR_LINE,
    alias_value,
    description,
    doc,
    instead_of,
    is_hashable,
    is_typed_dict,
    literal_fields,
    path,
    required_keys,
    shown,
    unaliased,
)
from preheat.interface.defaults import field_mistakes, is_required, written_default
from preheat.interface.media import File, Image, Tensor
from preheat.interface.nodes import choices, constraints, containers, objects, scalars, unions
from preheat.interface.nodes.models import is_model, model, model_schema
from preheat.interface.nodes.node import Node, Schema
from preheat.interface.nodes.texts import TEXTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFINITIONS = "#/$defs/"
_LEAVES: dict[Any, Callable[[], Node]] = {
    None: scalars.null,
    type(None): scalars.null,
    bool: scalars.boolean,
    int: scalars.integer,
    float: scalars.number,
    str: scalars.text,
    bytes: scalars.octets,
    Any: scalars.anything,
}


@dataclass(frozen=True, slots=True)
class TypeMistake:
    """A type that has no JSON form; `place` names it, `owner` and `attribute` say whose field it is."""

    place: str
    message: str
    fix: str
    owner: type | None = None
    attribute: str | None = None


@dataclass(slots=True)
class Compiler:
    """Turns annotations into nodes; the definitions and mistakes of all of them gather here."""

    definitions: dict[str, Schema] = field(default_factory=dict)
    mistakes: list[TypeMistake] = field(default_factory=list)
    _named: dict[type, Node] = field(default_factory=dict)
    _uses: dict[str, int] = field(default_factory=dict)
    _aliases: list[Any] = field(default_factory=list)
    _owner: tuple[type, str] | None = None

    @property
    def pictures(self) -> bool:
        """Whether a type with images has been compiled."""
        return Image in self._named

    def compile(self, annotation: Any, place: str) -> Node:
        """Compile one annotation; what is wrong with it is added to `mistakes`."""
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is Annotated:
            return self._annotated(arguments[0], arguments[1:], place)
        if origin in (Required, NotRequired):
            return self.compile(arguments[0], place)
        if origin is Literal:
            return self._choice(lambda: choices.literal(arguments), place)
        if origin in (typing.Union, types.UnionType):
            return self._union(arguments, place)
        if origin is list:
            return containers.array(self.compile(arguments[0], f"the items of {place}"))
        if origin is tuple:
            return self._tuple(arguments, place)
        if origin is dict:
            return self._dict(arguments, place)
        if annotation in _LEAVES if is_hashable(annotation) else False:
            return _LEAVES[annotation]()
        if annotation is File or annotation is Image:
            return self._attachment(annotation, place)
        if isinstance(annotation, type):
            return self._class(annotation, place)
        if isinstance(annotation, typing.NewType):
            return self.compile(annotation.__supertype__, place)
        if (value := alias_value(annotation)) is not None:
            return self._alias(annotation, value, place)
        return self._unsupported(annotation, place)

    def document(self, node: Node) -> Schema:
        """Return the schema of `node` with the definitions it refers to."""
        definitions = dict(self.definitions)
        schema = node.schema
        name = definition_name(node)
        if len(schema) == 1 and self._uses.get(name) == 1:
            schema = definitions.pop(name)
        document = {"$schema": DIALECT} | schema
        return document | {"$defs": dict(sorted(definitions.items()))} if definitions else document

    def wrong(self, place: str, message: str, fix: str) -> Node:
        """Record a mistake and return a node that stands in for the type."""
        owner, attribute = self._owner or (None, None)
        self.mistakes.append(TypeMistake(place, message, fix, owner, attribute))
        return replace(scalars.anything(), reads=frozenset())

    def _class(self, kind: type, place: str) -> Node:
        if kind in self._named:
            node = self._named[kind]
            self._uses[definition_name(node)] += 1
            return node
        if is_model(kind):
            return self._model(kind)
        if issubclass(kind, Enum):
            return self._choice(lambda: choices.enumeration(kind), place)
        if is_dataclass(kind) or is_typed_dict(kind):
            return self._object(kind, place)
        named = TEXTS.get(f"{kind.__module__}.{kind.__qualname__}")
        return named(kind) if named else self._unsupported(kind, place)

    def _object(self, kind: type, place: str) -> Node:
        try:
            hints = typing.get_type_hints(kind, include_extras=True)
        except (NameError, TypeError, SyntaxError, AttributeError) as exc:
            return self.wrong(
                place,
                f"the annotations of {kind.__qualname__} cannot be resolved: {exc}",
                "Import the name at the top of the module, not under TYPE_CHECKING.",
            )
        return self._dictionary(kind, hints) if is_typed_dict(kind) else self._record(kind, hints)

    def _dictionary(self, kind: type, hints: dict[str, Any]) -> Node:
        node = self._reserve(kind, hints, lambda value: isinstance(value, dict))
        members = {name: self._field(kind, name, hint) for name, hint in hints.items()}
        required = required_keys(kind, hints)
        return self._define(kind, node, objects.typed_dict(kind, members, required), required, {})

    def _record(self, kind: type, hints: dict[str, Any]) -> Node:
        entries = {entry.name: entry for entry in fields(kind)}
        node = self._reserve(kind, hints, lambda value: type(value) is kind)
        members = {name: self._field(kind, name, hints[name]) for name in entries}
        required = frozenset(name for name, entry in entries.items() if is_required(entry))
        defaults: dict[str, Any] = {}
        for name, entry in entries.items():
            for wrong in field_mistakes(entry, members[name]):
                self._blame(kind, name, wrong)
            defaults |= written_default(entry, members[name])
        return self._define(kind, node, objects.record(kind, members, required), required, defaults)

    def _field(self, kind: type, name: str, hint: Any) -> Node:
        owner, self._owner = self._owner, (kind, name)
        node = self.compile(hint, f"{kind.__qualname__}.{name}")
        self._owner = owner
        return node

    def _blame(self, kind: type, name: str, wrong: tuple[str, str]) -> None:
        self.mistakes.append(TypeMistake(f"{kind.__qualname__}.{name}", *wrong, kind, name))

    def _define(
        self, kind: type, node: Node, compiled: Node, required: frozenset[str], defaults: dict[str, Any]
    ) -> Node:
        node.read, node.write, node.fields = compiled.read, compiled.write, compiled.fields
        self._named[kind] = node
        self.definitions[definition_name(node)] = objects.object_schema(
            kind.__name__, doc(kind), node.fields, required, defaults
        )
        return node

    def _reserve(self, kind: type, hints: dict[str, Any], matches: Callable[[Any], bool]) -> Node:
        """Name `kind` before its fields are compiled, for they may lead back to it."""
        node = Node(
            name=kind.__qualname__,
            schema={"$ref": DEFINITIONS + self._claim(kind.__name__)},
            read=lambda value, place, reading: self._named[kind].read(value, place, reading),
            write=lambda value, place: self._named[kind].write(value, place),
            reads=frozenset({"object"}),
            matches=matches,
            tags=literal_fields(hints),
        )
        self._named[kind] = node
        return replace(node)

    def _claim(self, name: str) -> str:
        taken = self._uses
        unique = next(
            candidate
            for candidate in (name, *(f"{name}{count}" for count in range(2, len(taken) + 3)))
            if candidate not in taken
        )
        self._uses[unique] = 1
        return unique

    def _model(self, kind: type) -> Node:
        name = self._claim(kind.__name__)
        schema, inner = model_schema(kind, name)
        self.definitions[name] = schema
        self.definitions.update(inner)
        self._named[kind] = replace(model(kind), schema={"$ref": DEFINITIONS + name})
        return self._named[kind]

    def _attachment(self, kind: type, place: str) -> Node:
        from preheat.interface.nodes import attachments  # the two are rare, and Image brings Pillow

        if kind in self._named:
            return self._class(kind, place)
        try:
            node = attachments.file() if kind is File else attachments.image()
        except ModuleNotFoundError as exc:
            return self.wrong(
                place,
                f"preheat.Image needs Pillow, and no module {exc.name!r} is there",
                'requirements = ["pillow"]',
            )
        name = self._claim(kind.__name__)
        self.definitions[name] = node.schema
        self._named[kind] = replace(node, schema={"$ref": DEFINITIONS + name})
        return self._named[kind]

    def _annotated(self, annotation: Any, metadata: tuple[Any, ...], place: str) -> Node:
        spec = next((entry for entry in metadata if isinstance(entry, Tensor)), None)
        if spec is not None:
            return self._tensor(annotation, spec, place)
        node = self.compile(annotation, place)
        if not node.reads:
            return node
        try:
            demanded = list(constraints.bounds(node, metadata))
        except constraints.DoesNotApply as exc:
            return self.wrong(
                place, str(exc), "Annotated[int, Ge(0)] | None, with the bound on the type it is for"
            )
        if demanded:
            node = constraints.constrained(node, demanded)
        described = next((text for entry in metadata if (text := description(entry))), None)
        return replace(node, schema=node.schema | {"description": described}) if described else node

    def _tensor(self, annotation: Any, spec: Tensor, place: str) -> Node:
        array = unaliased(annotation)
        base = typing.get_origin(array) or array
        if path(base) != "numpy.ndarray":
            return self.wrong(
                place, f"preheat.Tensor stands on {shown(annotation)}, not an array", TENSOR_LINE
            )
        from preheat.interface.nodes.tensors import tensor  # NumPy is the project's, not ours

        try:
            return tensor(spec)
        except ValueError as exc:
            return self.wrong(place, str(exc), TENSOR_LINE)

    def _choice(self, make: Callable[[], Node], place: str) -> Node:
        try:
            return make()
        except ValueError as exc:
            return self.wrong(place, str(exc), 'Literal["small", "large"]')

    def _union(self, arguments: tuple[Any, ...], place: str) -> Node:
        members = [self.compile(argument, place) for argument in arguments]
        if not all(member.reads for member in members):
            return replace(scalars.anything(), reads=frozenset())
        try:
            return unions.union(members)
        except unions.Ambiguous as exc:
            fix = 'Give each a field that tells it apart: kind: Literal["..."], with another string in each.'
            if "object" not in str(exc):
                fix = f"Keep one of them in {place}."
            return self.wrong(place, f"the union is ambiguous: {exc}", fix)

    def _tuple(self, arguments: tuple[Any, ...], place: str) -> Node:
        inside = f"the items of {place}"
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return containers.sequence(self.compile(arguments[0], inside))
        return containers.fixed(tuple(self.compile(argument, inside) for argument in arguments))

    def _dict(self, arguments: tuple[Any, ...], place: str) -> Node:
        if arguments[0] is not str:
            return self.wrong(
                place,
                f"the keys of a JSON object are strings, not {shown(arguments[0])}",
                "dict[str, float]",
            )
        return containers.mapping(self.compile(arguments[1], f"the values of {place}"))

    def _alias(self, alias: Any, value: Any, place: str) -> Node:
        if alias in self._aliases:
            return self.wrong(place, f"the alias {alias} refers to itself", "Make it a dataclass.")
        self._aliases.append(alias)
        node = self.compile(value, place)
        self._aliases.remove(alias)
        return node

    def _unsupported(self, annotation: Any, place: str) -> Node:
        return self.wrong(place, f"{shown(annotation)} has no JSON form", instead_of(annotation))


def definition_name(node: Node) -> str:
    """Return the name under which the schema of `node` is defined; empty where it stands in place."""
    return str(node.schema.get("$ref", "")).removeprefix(DEFINITIONS)
