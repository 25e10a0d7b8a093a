"""The words that the generated app is written in: literals, arguments, folders of the bundle. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from preheat_providers.modal.app.spec import AppSpec
from preheat_providers.modal.shipped.settings import BUNDLE

LINE_CHARACTERS = 110
ROOT = f"/root/{BUNDLE}"
"""Where the layers lie in a container: below the folder that Modal puts the file in."""


def literal(value: Any) -> str:
    """Return JSON values as Python, with keys in order and strings in double quotes."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            return "{" + ", ".join(f"{literal(key)}: {literal(value[key])}" for key in sorted(value)) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(literal, value)) + "]"
        case _:
            return repr(value)


def call(arguments: Mapping[str, str]) -> str:
    """Return arguments of a call, a line for each, whose values are Python already."""
    return "\n" + "".join(f"    {name}={text},\n" for name, text in arguments.items())


def line(values: Mapping[str, Any]) -> str:
    """Return arguments of a call in one line; what is None is left out."""
    return ", ".join(f"{name}={literal(value)}" for name, value in values.items() if value is not None)


def table(values: Mapping[str, Any], indent: str = "") -> str:
    """Return a dictionary with a line for each key, in order."""
    if not values:
        return "{}"
    inner = f"{indent}    "
    lines = (f"{inner}{literal(name)}: {_wrapped(values[name], inner, name)},\n" for name in sorted(values))
    return "{\n" + "".join(lines) + indent + "}"


def _wrapped(value: Any, indent: str, name: str) -> str:
    """Return the value of the key `name` in one line, or in several where that is too long."""
    whole = literal(value)
    if not value or isinstance(value, str) or len(f'{indent}"{name}": {whole},') <= LINE_CHARACTERS:
        return whole
    if isinstance(value, Mapping):
        return table(value, indent)
    if isinstance(value, list | tuple):
        inner = f"{indent}    "
        lines = (f"{inner}{_wrapped(each, inner, '')},\n" for each in value)
        return "[\n" + "".join(lines) + indent + "]"
    return whole


def folder(name: str, *more: str) -> str:
    """Return what adds a folder of the bundle to an image."""
    arguments = ", ".join((f'BUNDLE / "{name}"', f'"{ROOT}/{name}"', *more))
    return f".add_local_dir({arguments})"


def slim(spec: AppSpec) -> str:
    """Return an image with Python and nothing else."""
    return f"modal.Image.debian_slim(python_version={literal(spec.python)})"


def environment(spec: AppSpec) -> dict[str, str]:
    """Return the arguments with the variables of the handler's containers, plain and secret."""
    said = {"env": table(spec.env, "    ")} if spec.env else {}
    if spec.secrets:
        lines = (f"        {_secret(*each)},\n" for each in sorted(spec.secrets.items()))
        said["secrets"] = "[\n" + "".join(lines) + "    ]"
    return said


def _secret(name: str, variables: tuple[str, ...]) -> str:
    return f"modal.Secret.from_name({literal(name)}, required_keys={literal(sorted(variables))})"
