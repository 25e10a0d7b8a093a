"""pydantic models, where the user brings pydantic: it validates and serialises, we translate its words."""

import json
from typing import Any

from preheat.interface.nodes.node import Misfit, Node, Reading
from preheat.interface.nodes.scalars import write_any
from preheat.interface.nodes.words import returned
from preheat.interface.place import Place


def is_model(kind: Any) -> bool:
    """Tell whether `kind` is a pydantic 2 model, without importing pydantic."""
    return (
        isinstance(kind, type)
        and hasattr(kind, "__pydantic_validator__")
        and hasattr(kind, "model_json_schema")
    )


def model(kind: Any) -> Node:
    """Compile a pydantic model."""
    from pydantic import ValidationError  # loaded already, by whoever defined the model

    def read(value: Any, place: Place, reading: Reading) -> Any:
        try:
            # As JSON, for pydantic takes from Python values what JSON does not hold, and the other way round.
            return kind.model_validate_json(json.dumps(value))
        except ValidationError as exc:
            for error in exc.errors(include_url=False, include_context=False, include_input=False):
                at = place
                for key in error["loc"]:
                    at = (at, key)
                reading.wrong(at, error["msg"])
            return None

    def write(value: Any, place: Place) -> Any:
        if not isinstance(value, kind):
            raise Misfit(place, returned(kind.__qualname__, value))
        return write_any(value.model_dump(mode="json", by_alias=True), place)

    return Node(
        name=kind.__qualname__,
        schema={},
        read=read,
        write=write,
        reads=frozenset({"object"}),
        matches=lambda value: type(value) is kind,
    )


def model_schema(kind: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of a model and of what it refers to, whose names start with `name` and a dot."""
    schema = kind.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    inner = {f"{name}.{key}": value for key, value in schema.pop("$defs", {}).items()}
    return schema, inner
