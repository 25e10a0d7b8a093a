"""What no schema can say: values of preheat.toml that exclude one another, or name what is not there.

Reads the project's folder to see which files exist; opens none of them, imports nothing.
"""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from preheat.project.mistake import Mistake, shown, toml_text
from preheat.project.model import Project
from preheat.project.names import nearest
from preheat.project.sources import source_mistakes
from preheat.project.triggering import trigger_mistakes

READY_MADE = "preheat_handlers"
RESERVED = re.compile(r"PREHEAT_.*|PYTHON.*|PATH|HOME|TMPDIR")
"""Variables that Preheat sets for every worker."""


def contradictions(project: Project) -> Iterator[Mistake]:
    """Yield every contradiction in `project`, whose values have been validated one by one."""
    yield from _handler_mistakes(project)
    yield from source_mistakes(project)
    yield from _scaling_mistakes(project)
    yield from _coldstart_mistakes(project)
    yield from trigger_mistakes(project)
    yield from _variable_mistakes(project)


def _handler_mistakes(project: Project) -> Iterator[Mistake]:
    if not project.handler:
        return  # its form was refused already
    module, _, name = project.handler.partition(":")
    top, *rest = module.split(".")
    if top == READY_MADE:
        folder, parts = _ready_made_folder(), rest
    else:
        folder, parts = project.root, [top, *rest]
        own = (folder / top).is_dir() or (folder / f"{top}.py").is_file()
        if project.requirements and not own:
            return  # a package among the requirements may bring it, which only the build can tell
    if folder is None or _is_module(folder, parts):
        return
    known = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    near = nearest(module.removeprefix(f"{READY_MADE}."), known)
    found = f"{READY_MADE}.{near}" if top == READY_MADE else near
    file = "/".join(parts) + ".py"
    yield Mistake(
        path=("handler",),
        message=f"handler is {shown(project.handler)}, but there is no {file} in {folder.name}.",
        fix=f'handler = "{found}:{name}"' if near else f'handler = "MODULE:{name}"  # a file MODULE.py',
    )


def _ready_made_folder() -> Path | None:
    spec = importlib.util.find_spec(READY_MADE)
    return Path(spec.origin).parent if spec and spec.origin else None


def _is_module(folder: Path, parts: list[str]) -> bool:
    path = folder.joinpath(*parts)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _scaling_mistakes(project: Project) -> Iterator[Mistake]:
    scaling = project.scaling
    for name, value in (("min", scaling.min), ("warm", scaling.warm)):
        if value > scaling.max:
            yield Mistake(
                path=("scaling", name),
                message=f"scaling.{name} is {value}, more than scaling.max, which is {scaling.max}.",
                fix=f"max = {value}",
            )


def _coldstart_mistakes(project: Project) -> Iterator[Mistake]:
    budget = project.coldstart
    if budget.p95_ms is not None and budget.ratio is not None:
        yield Mistake(
            path=("coldstart", "ratio"),
            message="[coldstart] has a budget of both kinds, p95_ms and ratio; keep one of them.",
            fix="remove p95_ms, which holds on one machine only",
        )


def _variable_mistakes(project: Project) -> Iterator[Mistake]:
    for name in sorted({*project.env, *project.secrets}):
        table = "secrets" if name in project.secrets else "env"
        if name in project.env and name in project.secrets:
            message = f"{name} is set both in [env] and in [secrets]; keep one of them."
            yield Mistake(path=("env", name), message=message, fix=f"remove {name} from [env]")
        if RESERVED.fullmatch(name):
            value = project.secrets.get(name, project.env.get(name))
            message = f"{table}.{name}: Preheat sets PATH, HOME, TMPDIR, PYTHON* and PREHEAT_* itself."
            yield Mistake(path=(table, name), message=message, fix=f"MODEL_{name} = {toml_text(value)}")
    for name, written in sorted(project.secrets.items()):
        scheme, _, variable = written.partition(":")
        if scheme == "env" and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
            message = f"secrets.{name} refers to no valid environment variable (its value is not shown here)."
            yield Mistake(path=("secrets", name), message=message, fix=f'{name} = "env:{name}"')
