"""Files to a tar stream that depends on nothing but their paths, modes and contents.

Sorted; times are 0, owners are root; folders are 0755. A layer needs the folders that lead to its files.
"""

import tarfile
from collections.abc import Collection, Iterator, Sequence

from preheat.bundle.zip.packing import Member, check_size
from preheat.errors import BundleError

BLOCK = 512
END = bytes(2 * BLOCK)


def tar_stream(
    members: Sequence[Member], folders: Sequence[str] = (), *, there: Collection[str] = ()
) -> Iterator[bytes]:
    """Yield the archive of `members` and `folders`, in pieces; folders that are `there` are left as they are.

    Raises BundleError for a file that changed.
    """
    files = {member.path: member for member in members}
    if len(files) < len(members):
        raise BundleError("Two files of the bundle would have one path in the image.")
    parents = {path for each in (*files, *(f"{name}/." for name in folders)) for path in _above(each)}
    if clash := parents & files.keys():
        raise BundleError(f"{min(clash)} would be both a file and a folder in the image.")
    for path in sorted(files.keys() | parents):
        if path in parents:
            if path in there:
                continue
            yield _header(path, tarfile.DIRTYPE, 0o755, 0)
            continue
        member = files[path]
        yield _header(path, tarfile.REGTYPE, member.mode, member.size)
        done = 0
        for chunk in member.chunks():
            done += len(chunk)
            yield chunk
        check_size(member, done)
        yield bytes(-done % BLOCK)
    yield END


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def _header(path: str, kind: bytes, mode: int, size: int) -> bytes:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.size = kind, mode, size
    return info.tobuf(tarfile.PAX_FORMAT)
