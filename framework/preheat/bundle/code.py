"""The code layer: the user's files, the shipped part of preheat, and the manifest. Reads the project."""

from collections.abc import Mapping
from pathlib import Path

from preheat.bundle.digest import File, content_file, read_files
from preheat.bundle.ignore import project_files
from preheat.bundle.model import Target
from preheat.bundle.shipped import OURS, shipped_files
from preheat.bundle.weights.source import local_path
from preheat.errors import BundleError
from preheat.interface.manifest import MANIFEST, Manifest
from preheat.project.model import Project

SUFFIXES = ("", ".py", ".pyc", ".so")


def user_paths(project: Project) -> dict[str, Path]:
    """Return the user's files by their path in the layer, without those that are weights.

    Raises BundleError where one would hide a module of preheat.
    """
    weights = {local_path(project.root, entry) for entry in project.weights} - {None}
    found = {}
    for name, path in project_files(project.root):
        if path in weights or any(parent in weights for parent in path.parents):
            continue
        top = name.partition("/")[0]
        if top == MANIFEST or top in {f"{ours}{suffix}" for ours in OURS for suffix in SUFFIXES}:
            raise BundleError(
                f"{project.root / top} would hide the module of preheat that has the same name.",
                hint=f"Rename {top}.",
            )
        found[name] = path
    return found


def user_text(paths: Mapping[str, Path]) -> str:
    """Return the text of all modules among `paths`, for whoever looks for a name in it."""
    return "\n".join(
        path.read_text(encoding="utf-8", errors="replace")
        for name, path in paths.items()
        if name.endswith(".py")
    )


def code_tree(
    project: Project, target: Target, paths: Mapping[str, Path], weights: Mapping[str, str]
) -> tuple[dict[str, File], dict[str, File]]:
    """Return the user's files and preheat's. `weights` maps names to paths in the weights layer."""
    user = read_files(paths)
    _check_handler(project, user)
    ours = read_files(shipped_files(target, project.handler, user_text(paths)))
    manifest = Manifest(name=project.name, handler=project.handler, limits=project.limits, weights=weights)
    return user, {**ours, MANIFEST: content_file(manifest.to_json().encode())}


def _check_handler(project: Project, user: Mapping[str, File]) -> None:
    """See that the handler's own top-level module is in the bundle: an ignore file may have taken it out."""
    module = project.handler.partition(":")[0]
    top = module.partition(".")[0]
    wanted = module.replace(".", "/")
    if (project.root / f"{wanted}.py").is_file() and f"{wanted}.py" not in user and top not in OURS:
        raise BundleError(
            f"{wanted}.py holds the handler {project.handler}, but an ignore file excludes it.",
            hint=f"Bring it back: echo '!/{wanted}.py' >> .preheatignore",
        )
