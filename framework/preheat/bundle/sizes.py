"""What the bundle weighs, by package, and whether the platform takes it."""

from collections.abc import Iterable, Mapping, Sequence

from preheat.bundle.digest import File, tree_bytes
from preheat.bundle.model import Size, Target
from preheat.errors import TooLarge

SHOWN = 5
MB = 1_000_000
SMALLER = (
    "Drop what the model does not need from `requirements`, use smaller weights (int8 is a quarter of "
    "float32), or take a provider without that limit."
)


def dependency_sizes(kept: Mapping[str, Mapping[str, File]], bytecode: Mapping[str, File]) -> list[Size]:
    """Return the size of each package, its byte-code included."""
    owner = {path: name for name, files in kept.items() for path in files}
    sizes = {name: tree_bytes(files) for name, files in kept.items()}
    for path, file in bytecode.items():
        sizes[owner[source_of(path)]] += file.bytes
    return [Size(layer="dependencies", name=name, bytes=size) for name, size in sizes.items()]


def weight_sizes(tree: Mapping[str, File]) -> list[Size]:
    """Return the size of each entry of `[weights]`."""
    sizes: dict[str, int] = {}
    for path, file in tree.items():
        name = path.partition("/")[0]
        sizes[name] = sizes.get(name, 0) + file.bytes
    return [Size(layer="weights", name=name, bytes=size) for name, size in sizes.items()]


def source_of(bytecode: str) -> str:
    """Return the path of the module that `bytecode` was compiled from."""
    folder, _, name = bytecode.rpartition("__pycache__/")
    return f"{folder}{name.partition('.')[0]}.py"


def ledger(sizes: Iterable[Size]) -> tuple[Size, ...]:
    """Return `sizes` with the heaviest first."""
    return tuple(sorted(sizes, key=lambda size: (-size.bytes, size.layer, size.name)))


def check_limit(sizes: Sequence[Size], target: Target) -> None:
    """Raise TooLarge, with what weighs most, if the platform does not take the bundle."""
    counted = [size for size in sizes if size.layer not in target.apart]
    total = sum(size.bytes for size in counted)
    limit = target.unzipped_limit
    if limit is None or total <= limit:
        return
    heaviest = ", ".join(f"{size.name} {size.bytes / MB:.1f} MB" for size in ledger(counted)[:SHOWN])
    raise TooLarge(
        f"The bundle weighs {total / MB:.1f} MB unzipped, and {target.provider} takes {limit / MB:.1f} MB: "
        f"{(total - limit) / MB:.1f} MB too much. The heaviest: {heaviest}.",
        hint=f"{target.smaller or SMALLER} `preheat build --sizes` shows the whole ledger.",
    )
