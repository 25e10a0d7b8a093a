"""What of the dependencies need not ship: the rules as data, and their one reader.

A rule is here because it was tried: what it removes is never read by a model that answers
requests. Where user code might need it after all, `unless` names what in the sources would say so,
and the build runs the handler's examples against what is left.
"""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from preheat.bundle.digest import File
from preheat.bundle.packages import Package, requirement_name, with_extras


@dataclass(frozen=True, slots=True)
class Rule:
    """Files that go. `package` may be `*`; `mb` is what that saved where it was measured.

    `unless` is a regular expression: found in the user's code or in a package that requires
    this one, the files stay. `unless_requires` is a distribution that reads such files.
    """

    package: str
    pattern: str
    reason: str
    mb: float
    unless: str | None = None
    unless_requires: str | None = None


@dataclass(frozen=True, slots=True)
class Unused:
    """A declared requirement that the package imports only where `unless` says, or in files that went."""

    package: str
    requirement: str
    module: str
    reason: str
    unless: str


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What ships, by package, and what went: (reason, bytes), largest first."""

    kept: dict[str, dict[str, File]]
    removed: tuple[tuple[str, int], ...]


_ORT_EXTRAS = ("tools", "transformers", "quantization", "datasets", "backend")

RULES = (
    Rule("*", "*.pyi", "type stubs", 1.1, unless_requires="lazy-loader"),
    Rule("*", "*.pxd", "Cython declarations", 0.1),
    Rule("*", "*.dist-info/sboms/*", "bills of materials", 1.0),
    *(
        Rule(package, "*/tests/*", f"tests of {package}", mb)
        for package, mb in (("numpy", 3.2), ("scipy", 13.0), ("pandas", 25.0), ("scikit-learn", 6.0))
    ),
    Rule("numpy", "numpy/_core/include/*", "C headers of numpy", 0.5, unless=r"get_include|cffi|cython"),
    Rule("numpy", "numpy/*.a", "static libraries of numpy", 0.1),
    Rule("numpy", "numpy/f2py/*", "numpy.f2py", 1.4, unless=r"f2py"),
    Rule("onnxruntime", "onnxruntime/capi/libonnxruntime.so.*", "the C library of onnxruntime", 29.4),
    *(
        Rule(
            "onnxruntime",
            f"onnxruntime/{part}/*",
            f"onnxruntime.{part}",
            0.7,
            unless=rf"onnxruntime\.{part}\b|from onnxruntime import [^\n]*\b{part}\b",
        )
        for part in _ORT_EXTRAS
    ),
)

_ORT_EXTRA_IMPORTED = r"onnxruntime(?:\.| import [^\n]*\b)(?:{})\b".format("|".join(_ORT_EXTRAS))

UNUSED = (
    Unused(
        "tokenizers",
        "huggingface-hub",
        "huggingface_hub",
        "only Tokenizer.from_pretrained",
        "from_pretrained",
    ),
    *(
        Unused("onnxruntime", requirement, module, "only parts that are left out", _ORT_EXTRA_IMPORTED)
        for requirement, module in (
            ("protobuf", "google.protobuf"),
            ("flatbuffers", "flatbuffers"),
            ("packaging", "packaging"),
            ("sympy", "sympy"),
            ("coloredlogs", "coloredlogs"),
        )
    ),
)


SYMBOLS = "symbols for debuggers"
"""Why shared libraries get shorter."""


def untrimmed(packages: Sequence[Package]) -> Trimmed:
    """Return everything."""
    return Trimmed({package.name: package.files for package in packages}, ())


def trim(packages: Sequence[Package], requirements: Sequence[str], user_code: str) -> Trimmed:
    """Return what ships of `packages`. `user_code` is the text of every module of the project."""
    sources = _Sources(packages, user_code)
    removed: dict[str, int] = {}
    kept = {}
    for package in packages:
        files = dict(package.files)
        for rule in RULES:
            for path in _matching(rule, package, files, sources):
                removed[rule.reason] = removed.get(rule.reason, 0) + files.pop(path).bytes
        for path in package.lean.keys() & files.keys():
            removed[SYMBOLS] = removed.get(SYMBOLS, 0) + files[path].bytes - package.lean[path].bytes
            files[path] = package.lean[path]
        kept[package.name] = files
    for name in _unreachable(packages, kept, requirements, sources):
        removed[name] = sum(file.bytes for file in kept.pop(name).values())
    return Trimmed(kept, tuple(sorted(removed.items(), key=lambda item: (-item[1], item[0]))))


class _Sources:
    """Answers whether a text occurs in the user's code, or in the packages that require a given one."""

    def __init__(self, packages: Sequence[Package], user_code: str) -> None:
        self._packages = packages
        self._user_code = user_code

    def say(self, pattern: str, package: str) -> bool:
        if re.search(pattern, self._user_code):
            return True
        return any(mentions(pattern, user.files) for user in self.users(package))

    def users(self, package: str) -> list[Package]:
        return [user for user in self._packages if package in user.requires]

    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"[A-Za-z_]\w*", self._user_code))


def mentions(pattern: str, files: dict[str, File]) -> bool:
    """Say whether any module among `files` contains `pattern`."""
    wanted = re.compile(pattern.encode())
    modules = (file.source for path, file in files.items() if path.endswith(".py"))
    return any(wanted.search(source.read_bytes()) for source in modules if isinstance(source, Path))


def _matching(rule: Rule, package: Package, files: dict[str, File], sources: _Sources) -> list[str]:
    if rule.package not in ("*", package.name):
        return []
    paths = fnmatch.filter(files, rule.pattern)
    if not paths or rule.unless_requires in package.requires:
        return []
    if rule.unless is not None and sources.say(rule.unless, package.name):
        return []
    users = [files, *(user.files for user in sources.users(package.name))]
    return [] if any(_loaded(path, users) for path in paths if ".so" in path) else paths


def _loaded(library: str, users: list[dict[str, File]]) -> bool:
    """Say whether another library or module names the shared library `library`, and so may load it."""
    name = library.rpartition("/")[2].partition(".so")[0].encode() + b".so"
    others = {path: file.source for files in users for path, file in files.items() if path != library}
    return any(
        re.search(re.escape(name) + rb"(?![\w])", source.read_bytes())
        for path, source in others.items()
        if isinstance(source, Path) and (".so" in path or path.endswith(".py"))
    )


def _unreachable(
    packages: Sequence[Package],
    kept: dict[str, dict[str, File]],
    requirements: Sequence[str],
    sources: _Sources,
) -> list[str]:
    """Return the packages that only an unused requirement asks for, by following what is declared."""
    cut = {
        (rule.package, rule.requirement)
        for rule in UNUSED
        if rule.package in kept
        and not sources.say(rule.unless, rule.package)
        and not mentions(rf"(?:import|from) {re.escape(rule.module)}\b", kept[rule.package])
    }
    if not cut:
        return []
    by_name = {package.name: package for package in packages}
    whole = _with_extras(by_name, requirements)
    words = sources.words()
    waiting = [requirement_name(line) for line in requirements]
    waiting += [package.name for package in packages if package.modules() & words]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in seen:
            seen.add(name)
            found = by_name[name]
            followed = found.requires if name in whole else found.requires - found.optional
            waiting += [other for other in followed if (name, other) not in cut]
    return [name for name in by_name if name not in seen]


def _with_extras(by_name: dict[str, Package], requirements: Sequence[str]) -> set[str]:
    """Return the packages of which somebody wants an extra, any of them, and all that these mention."""
    whole: set[str] = set()
    waiting = [*with_extras(requirements), *(name for each in by_name.values() for name in each.extended)]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in whole:
            whole.add(name)
            waiting += by_name[name].requires
    return whole
