"""Which weights are tuned, and their original files: those from before an earlier `preheat tune --write`.

Reads the project's folder; fetches weights into the cache.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from preheat.bundle.cache import Cache
from preheat.bundle.digest import File, tree_digest
from preheat.bundle.layers import materialise
from preheat.bundle.weights.fetch import Fetcher
from preheat.bundle.weights.source import file_name, local_path, parse_source
from preheat.errors import TuningError
from preheat.project.model import Project, Weights
from preheat.tuning.manifest import FILE, origin_of

SUFFIX = ".onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The weights to tune. `origin` is where they come from untuned; `folder` holds those files.

    `model` is the ONNX file, `sha256` the digest of the file or of the folder that the entry names.
    """

    name: str
    origin: Weights
    folder: Path
    model: Path
    sha256: str
    model_sha256: str


def choose_weights(project: Project, name: str | None) -> Weights:
    """Return the entry called `name`, or the only one that may be an ONNX model, as it was before tuning."""
    onnx = [entry for entry in project.weights if _may_be_onnx(project.root, entry)]
    names = ", ".join(entry.name for entry in onnx)
    if name is not None:
        found = next((entry for entry in project.weights if entry.name == name), None)
        if found is None:
            known = ", ".join(entry.name for entry in project.weights) or "none"
            raise TuningError(f"preheat.toml has no [weights.{name}]; it has: {known}.")
        if found not in onnx:
            raise TuningError(
                f"weights.{name} is {found.source!r}, which is no ONNX model.",
                hint=f"preheat tune --weights {onnx[0].name}" if onnx else None,
            )
    elif not onnx:
        raise TuningError(
            f"{project.name} has no ONNX model under [weights], and preheat tune tunes nothing else.",
            hint='[weights.model]\nsource = "file:models/model.onnx"',
        )
    elif len(onnx) > 1:
        raise TuningError(
            f"{project.name} has several ONNX models: {names}. They are tuned one at a time.",
            hint=f"preheat tune --weights {onnx[0].name}",
        )
    else:
        found = onnx[0]
    place = local_path(project.root, found)
    return found if place is None else origin_of(found, place)


def fetch_original(entry: Weights, fetcher: Fetcher, cache: Cache) -> Subject:
    """Return the files of `entry` in a folder of the cache. Raises TuningError for several models in it."""
    tree, paths = fetcher.fetch([entry])
    folder = materialise(cache, "weights", tree).path
    files = {path: file for path, file in tree.items() if path.endswith(SUFFIX)}
    if len(files) != 1:
        raise TuningError(
            f"weights.{entry.name} is the folder {file_name(parse_source(entry))!r} with "
            f"{len(files) or 'no'} .onnx files; preheat tune needs exactly one.",
            hint=_apart(entry, sorted(files)),
        )
    path, model = next(iter(files.items()))
    alone = path == paths[entry.name]
    return Subject(
        name=entry.name,
        origin=entry,
        folder=(folder / path).parent if alone else folder / paths[entry.name],
        model=folder / path,
        sha256=model.sha256 if alone else _folder_digest(tree),
        model_sha256=model.sha256,
    )


def companions(subject: Subject, external: Sequence[str]) -> tuple[Path, ...]:
    """Return the files beside the model that a handler may read too, such as a tokenizer, relative to it."""
    data = {(subject.model.parent / name).resolve() for name in external} | {subject.model.resolve()}
    files = (path for path in sorted(subject.folder.rglob("*")) if path.is_file())
    return tuple(path.relative_to(subject.folder) for path in files if path.resolve() not in data)


def _may_be_onnx(root: Path, entry: Weights) -> bool:
    place = local_path(root, entry)
    if place is not None and place.is_dir():
        return (place / FILE).is_file() or any(place.rglob(f"*{SUFFIX}"))
    return file_name(parse_source(entry)).endswith(SUFFIX)


def _folder_digest(tree: Mapping[str, File]) -> str:
    return tree_digest(tree).removeprefix("sha256:")


def _apart(entry: Weights, files: list[str]) -> str | None:
    names = [Path(file).name for file in files]
    entries = (f'[weights.{Path(name).stem}]\nsource = "{entry.source}/{name}"' for name in names)
    return "\n".join(entries) if files and entry.source.startswith("file:") else None
