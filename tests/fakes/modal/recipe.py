"""The lines of an image, really executed: into a tree of files that its containers then see at /.

`FROM python:3.11...` is the Debian and the Python of this machine with an empty environment, whatever
else that layer says; `apt-get` does nothing; every other `RUN` runs, in a jail that sees the tree. What
cannot be done here fails the build and says so.
"""

import json
import os
import shlex
import shutil
import string
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath

import uv
from tests.fakes.modal.jail import Bind, Jail

from preheat.bundle.interpreter import base_interpreter

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ENVIRONMENT = "/opt/image"
PATH = f"{ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin"
UV, UV_CACHE = "/opt/uv", "/var/cache/uv"
OF_THE_INDEX = ("UV_", "PIP_", "SSL_", "HTTP_", "HTTPS_", "NO_PROXY", "ALL_PROXY")
"""Beginnings of the variables that say where packages come from on this machine."""
IGNORED = ("CMD", "ENTRYPOINT", "LABEL")
LONGEST_S = 600

Say = Callable[[str], None]


class BuildFailed(Exception):
    """A line could not be executed; the text is what a user would read."""


@dataclass(frozen=True)
class Tree:
    """A built image: its files, and what its lines said of the environment and the folder."""

    root: Path
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH, "HOME": "/root"})
    folder: str = "/root"

    def save(self, path: Path) -> None:
        """Write all but the files to `path`, which is there as a whole or not at all."""
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps({**asdict(self), "root": str(self.root)}))
        part.replace(path)


def load(path: Path, root: Path) -> Tree:
    """Read what `Tree.save` wrote."""
    return replace(Tree(**json.loads(path.read_text())), root=root)


@dataclass(frozen=True)
class Recipe:
    """One layer: its lines, the files they may copy (by absolute name), and the variables of its secrets."""

    lines: Sequence[str]
    files: Mapping[str, Path | bytes]
    secrets: Mapping[str, str]

    def execute(self, tree: Tree, say: Say) -> Tree:
        """Change `tree` in place; return it with its new settings. Raises BuildFailed."""
        whole = "\n".join(self.lines).replace("\\\n", " ").splitlines()
        steps = [line.split(None, 1) for line in whole if line.strip() and not line.startswith("#")]
        for words in steps:
            name, rest = words[0].upper(), words[1].strip() if len(words) > 1 else ""
            say(f"=> {name} {rest}\n")
            match name:
                case "FROM" if rest == "base":
                    continue
                case "FROM":
                    _begin(tree, rest, say)
                    return tree
                case "ENV":
                    tree = replace(tree, env={**tree.env, **_variables(rest, tree.env)})
                case "WORKDIR":
                    tree = replace(tree, folder=shlex.split(rest)[0])
                case "COPY":
                    self._copy(tree, shlex.split(rest))
                case "RUN":
                    self._run(tree, rest, say)
                case _ if name not in IGNORED:
                    raise BuildFailed(f"This control plane knows no {name}: {rest}")
        return tree

    def _copy(self, tree: Tree, words: list[str]) -> None:
        *options, source, target = words
        into = _inside(tree, target)
        if options:
            if PurePosixPath(source).name != "uv":
                raise BuildFailed(f"COPY {' '.join(words)}: only uv can be copied from another image here")
            into.parent.mkdir(parents=True, exist_ok=True)
            into.symlink_to(UV)
            return
        prefix = "" if source == "." else source.rstrip("/")
        found = [name for name in self.files if name == prefix or name.startswith(f"{prefix}/")]
        if not found:
            raise BuildFailed(f"COPY {source}: no such file in the context")
        for name in found:
            below = name.removeprefix(prefix).lstrip("/")
            _place(self.files[name], into / below if below else into)

    def _run(self, tree: Tree, line: str, say: Say) -> None:
        if line.startswith("apt-get "):
            say("The system's packages are those of this machine.\n")
            return
        env = {**tree.env, **of_the_index(), "UV_CACHE_DIR": UV_CACHE, "UV_LINK_MODE": "copy", **self.secrets}
        command = jail_of(tree.root).command(["/bin/sh", "-c", line], env, tree.folder)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        ) as process:
            assert process.stdout is not None
            for text in process.stdout:
                say(text)
            code = process.wait(LONGEST_S)
        if code:
            raise BuildFailed(f"RUN {line}: exit code {code}")


def jail_of(root: Path) -> Jail:
    """Return the jail of a build, which writes to `root` itself and has the cache of packages."""
    cache = subprocess.run([uv.find_uv_bin(), "cache", "dir"], check=True, capture_output=True, text=True)
    folder = Path(cache.stdout.strip())
    folder.mkdir(parents=True, exist_ok=True)
    return Jail(root, binds=(Bind(folder, UV_CACHE), Bind(Path(uv.find_uv_bin()), UV), *_named_files()))


def of_the_index() -> dict[str, str]:
    """Return the variables that say where packages come from."""
    return {name: value for name, value in os.environ.items() if name.upper().startswith(OF_THE_INDEX)}


def _named_files() -> Iterator[Bind]:
    for value in set(of_the_index().values()):
        path = Path(value)
        if path.is_absolute() and path.exists() and path.parts[1] not in ("usr", "etc"):
            yield Bind(path, value, read_only=True)


def _begin(tree: Tree, base: str, say: Say) -> None:
    if not base.startswith(f"python:{PYTHON}"):
        raise BuildFailed(f"This control plane has Python {PYTHON} and no image {base}")
    (tree.root / "root").mkdir(parents=True)
    make = [str(base_interpreter()), "-m", "venv", "--without-pip", ENVIRONMENT]
    command = jail_of(tree.root).command(make, tree.env, "/")
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)
    say(done.stdout + done.stderr)
    if done.returncode:
        raise BuildFailed(f"python -m venv {ENVIRONMENT}: exit code {done.returncode}")


def _variables(text: str, env: Mapping[str, str]) -> dict[str, str]:
    pairs = (word.partition("=") for word in shlex.split(text))
    return {name: string.Template(value).safe_substitute(env) for name, _, value in pairs}


def _inside(tree: Tree, target: str) -> Path:
    return tree.root / (PurePosixPath(tree.folder) / target).as_posix().lstrip("/")


def _place(source: Path | bytes, into: Path) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, Path):
        shutil.copy(source, into)
    else:
        into.write_bytes(source)
