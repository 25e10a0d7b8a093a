"""Questions about annotations, and what to write instead of those that have no JSON form."""

import typing
from dataclasses import is_dataclass
from inspect import cleandoc
from typing import Any, Literal, NotRequired, Required

TENSOR_LINE = 'Annotated[numpy.ndarray, preheat.Tensor("float32", (None, 384))]'

_INSTEAD = {
    "builtins.list": "list[str], with the type of its items",
    "builtins.tuple": "tuple[float, float], with the types of its items",
    "builtins.dict": "dict[str, float], with the type of its values",
    "builtins.set": "list[str]; JSON has no sets",
    "builtins.frozenset": "list[str]; JSON has no sets",
    "builtins.object": "Any, from typing",
    "builtins.complex": "tuple[float, float]",
    "builtins.bytearray": "bytes",
    "numpy.ndarray": TENSOR_LINE,
    "torch.Tensor": TENSOR_LINE,
    "PIL.Image.Image": "preheat.Image; its pillow() gives the picture",
    "collections.abc.Sequence": "list[str]",
    "collections.abc.Iterable": "list[str]",
    "collections.abc.Mapping": "dict[str, float]",
    "pathlib.Path": "preheat.File",
}


def is_hashable(annotation: Any) -> bool:
    """Tell whether an annotation may be a key."""
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


def is_typed_dict(kind: Any) -> bool:
    """Tell whether `kind` is a TypedDict."""
    # Also those of typing_extensions, which typing.is_typeddict does not know.
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def required_keys(kind: Any, hints: dict[str, Any]) -> frozenset[str]:
    """Return the keys that a TypedDict must have."""
    # __required_keys__ is wrong where annotations are strings (python/cpython#97727), so the hints decide.
    said = {name: typing.get_origin(hint) for name, hint in hints.items()}
    return frozenset(
        name
        for name, origin in said.items()
        if origin is Required or (origin is not NotRequired and name in kind.__required_keys__)
    )


def literal_fields(hints: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Return the fields that hold one of a few strings, with these."""
    found = {
        name: typing.get_args(hint) for name, hint in hints.items() if typing.get_origin(hint) is Literal
    }
    return {
        name: frozenset(values)
        for name, values in found.items()
        if all(type(value) is str for value in values)
    }


def doc(kind: type) -> str | None:
    """Return what a class says of itself."""
    doc = kind.__doc__
    # The text that @dataclass makes up is the signature over again.
    return None if not doc or doc.startswith(f"{kind.__name__}(") or doc == dict.__doc__ else cleandoc(doc)


def description(entry: object) -> str | None:
    """Return what an entry of Annotated says in words: a string, or what Doc and Field carry."""
    if isinstance(entry, str):
        return entry
    text = getattr(entry, "documentation", None) or getattr(entry, "description", None)
    return text if isinstance(text, str) else None


def alias_value(annotation: Any) -> Any:
    """Return what an alias stands for, its parameters filled in; None for what is no alias (PEP 695)."""
    origin = typing.get_origin(annotation)
    if _is_alias(annotation):
        return annotation.__value__
    return origin.__value__[typing.get_args(annotation)] if _is_alias(origin) else None


def unaliased(annotation: Any) -> Any:
    """Return what is behind an alias of an alias, such as `NDArray` of NumPy from Python 3.12 on."""
    seen = []
    while annotation not in seen and (value := alias_value(annotation)) is not None:
        seen.append(annotation)
        annotation = value
    return annotation


def _is_alias(annotation: Any) -> bool:
    return type(annotation).__name__ == "TypeAliasType"  # which the typing of Python 3.11 lacks


def path(base: Any) -> str:
    """Return the module and name of a type."""
    return f"{getattr(base, '__module__', '')}.{getattr(base, '__qualname__', base)}"


def shown(annotation: Any) -> str:
    """Write an annotation as its author would."""
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__qualname__ if annotation.__module__ == "builtins" else path(annotation)
    return str(annotation)


def instead_of(annotation: Any) -> str:
    """Return what to write for an annotation that has no JSON form."""
    base = typing.get_origin(annotation) or annotation
    if isinstance(base, type) and issubclass(base, tuple) and base is not tuple:
        return "@dataclass instead of NamedTuple"
    if is_dataclass(base):
        return f"{path(base)} without type parameters"
    return _INSTEAD.get(path(base), "a dataclass with the fields that matter")
