"""A project to a bundle, on one page.

fingerprint   reads file status      nothing changed: the bundle of last time, at once
lock          network if changed     requirements to pins (preheat.lock)
packages      network if missing     pins to installed distributions, hashes checked
weights       network if missing     [weights] to verified blobs
code          reads the project      the user's files, preheat's own, the manifest
trim, compile cpu                    what the model does not need goes, byte-code comes
sizes         nothing                the ledger against the platform's limit
layers        writes the cache       three folders named by their digests
verify        runs the handler       where this machine can run the target
"""

import errno
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from preheat.bundle.apart import VerifyFailed, lacks_gpu
from preheat.bundle.bytecode import compile_tree
from preheat.bundle.cache import Cache
from preheat.bundle.code import code_tree, user_paths, user_text
from preheat.bundle.digest import File, tree_bytes
from preheat.bundle.fingerprint import Fingerprint
from preheat.bundle.interpreter import Interpreter, find_interpreter, runs_here
from preheat.bundle.layers import materialise
from preheat.bundle.lock import lock
from preheat.bundle.model import Bundle, LayerName, Size, Target
from preheat.bundle.packages import Package, fetch
from preheat.bundle.record import bundle_digest, load_bundle, save_bundle
from preheat.bundle.shipped import shipped_from
from preheat.bundle.sizes import MB, check_limit, dependency_sizes, ledger, weight_sizes
from preheat.bundle.trim import Trimmed, trim, untrimmed
from preheat.bundle.uv import Uv
from preheat.bundle.verify import verify
from preheat.bundle.weights.fetch import Fetcher
from preheat.bundle.weights.http import Http
from preheat.errors import BundleError
from preheat.progress import Notice, Report, Step
from preheat.project.home import home
from preheat.project.model import Project

STAGE = "bundle"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the layers are made of, before trimming and byte-code."""

    packages: tuple[Package, ...]
    weights: Mapping[str, File]
    user: Mapping[str, File]
    ours: Mapping[str, File]
    user_text: str


def build(project: Project, target: Target, *, report: Report, upgrade: bool = False) -> Bundle:
    """Return the bundle of `project` for `target`, built unless nothing changed since the last build.

    `upgrade` resolves the requirements anew. Raises BundleError, TooLarge before anything is
    run, and leaves nothing half-done in the cache.
    """
    cache = Cache(home() / "cache")
    try:
        paths = user_paths(project)
        inputs = [*paths.values(), *shipped_from(target)]
        with cache.in_use():
            known = None if upgrade else Fingerprint(project, target, inputs).recall(cache)
            if known is not None and (bundle := load_bundle(cache, known)) is not None:
                return replace(bundle, target=target)
            bundle = _Build(project, target, cache, report).run(paths, inputs, upgrade=upgrade)
    except OSError as exc:
        if exc.errno in NO_ROOM:
            raise BundleError(
                f"There is no room left for the bundle below {cache.root}: {exc.strerror}.",
                hint="Free some space, or set PREHEAT_HOME to a folder on another disk.",
            ) from exc
        raise
    return bundle


@dataclass(frozen=True, slots=True)
class _Build:
    project: Project
    target: Target
    cache: Cache
    report: Report

    def run(self, paths: Mapping[str, Path], inputs: list[Path], *, upgrade: bool) -> Bundle:
        self.cache.sweep()
        uv = Uv(self.project.root)
        requirements = [*self.project.requirements, *self.target.requirements]
        self.report(Step(STAGE, f"locking {len(requirements)} requirements for Python {self.target.python}"))
        pins = lock(
            requirements, self.target, root=self.project.root, uv=uv, cache=self.cache, upgrade=upgrade
        )
        # After the lock, which is an input, was written; before any content is read.
        fingerprint = Fingerprint(self.project, self.target, inputs)
        self.report(Step(STAGE, f"fetching {len(pins)} packages for {self.target.platform}"))
        packages = fetch(pins, self.target, uv=uv, cache=self.cache)
        fetcher = Fetcher(self.project.root, self.target, uv, Http(), self.cache, self.report)
        weights, weight_paths = fetcher.fetch(self.project.weights)
        text = user_text(paths)
        user, ours = code_tree(self.project, self.target, paths, MappingProxyType(weight_paths))
        parts = _Parts(packages, weights, user, ours, text)
        interpreter = self._interpreter()
        bundle = self._verified(parts, interpreter)
        if interpreter is not None:
            fingerprint.remember(self.cache, bundle.digest)
        return bundle

    def _interpreter(self) -> Interpreter | None:
        interpreter = find_interpreter(self.target.python)
        if interpreter is None:
            self.report(
                Notice(
                    STAGE,
                    f"No Python {self.target.python} is on this machine, so the bundle ships without "
                    "byte-code and was not run: expect cold starts to take about twice as long.",
                    hint=f"uv python install {self.target.python}",
                )
            )
        return interpreter

    def _verified(self, parts: _Parts, interpreter: Interpreter | None) -> Bundle:
        """Build trimmed; if the handler then fails over something that went, build untrimmed instead."""
        requirements = [*self.project.requirements, *self.target.requirements]
        trimmed = trim(parts.packages, requirements, parts.user_text)
        try:
            return self._bundle(parts, trimmed, interpreter)
        except VerifyFailed as failure:
            if not _may_be_trimming(failure, parts.packages, trimmed):
                raise
            try:
                bundle = self._bundle(parts, untrimmed(parts.packages), interpreter)
            except VerifyFailed:
                raise failure from None
            reasons = ", ".join(reason for reason, _ in trimmed.removed)
            self.report(
                Notice(
                    STAGE,
                    f"The handler needs something that trimming removes ({reasons}), so everything ships. "
                    f"Without it: {failure.message.splitlines()[0]}",
                )
            )
            return bundle

    def _bundle(self, parts: _Parts, trimmed: Trimmed, interpreter: Interpreter | None) -> Bundle:
        dependencies: dict[str, File] = {}
        for files in trimmed.kept.values():
            dependencies.update(files)
        code = {**parts.user, **parts.ours}
        compiled: dict[LayerName, dict[str, File]] = {"dependencies": {}, "code": {}}
        if interpreter is not None:
            self.report(Step(STAGE, f"compiling byte-code with Python {interpreter.version}"))
            compiled["dependencies"] = compile_tree(dependencies, interpreter, self.cache)
            compiled["code"] = compile_tree(code, interpreter, self.cache)
        sizes = ledger(
            [
                *dependency_sizes(trimmed.kept, compiled["dependencies"]),
                *weight_sizes(parts.weights),
                *self._code_sizes(parts, compiled["code"]),
            ]
        )
        check_limit(sizes, self.target)
        trees: dict[LayerName, Mapping[str, File]] = {
            "dependencies": {**dependencies, **compiled["dependencies"]},
            "weights": parts.weights,
            "code": {**code, **compiled["code"]},
        }
        layers = tuple(materialise(self.cache, name, tree) for name, tree in trees.items())
        digest = bundle_digest(self.target, layers)
        known = load_bundle(self.cache, digest)
        bundle = Bundle(
            digest=digest,
            target=self.target,
            layers=layers,
            sizes=sizes,
            path=self.cache.bundle(digest),
            cached=known is not None,
            contract=known.contract if known is not None else None,
        )
        return self._run_here(bundle, trimmed, interpreter)

    def _code_sizes(self, parts: _Parts, compiled: Mapping[str, File]) -> list[Size]:
        total = tree_bytes(parts.user) + tree_bytes(parts.ours) + tree_bytes(compiled)
        user = tree_bytes(parts.user)
        return [
            Size(layer="code", name=self.project.name, bytes=user),
            Size(layer="code", name="preheat", bytes=total - user),
        ]

    def _run_here(self, bundle: Bundle, trimmed: Trimmed, interpreter: Interpreter | None) -> Bundle:
        """Record `bundle` with its contract, from an earlier run of the same bytes or from one now."""
        if bundle.contract is None and interpreter is not None and runs_here(self.target):
            saved = sum(size for _, size in trimmed.removed) / MB
            self.report(Step(STAGE, f"running the handler's examples ({saved:.1f} MB trimmed)"))
            if lacks_gpu(self.project):
                self.report(
                    Notice(
                        STAGE,
                        f"resources.gpu is {self.project.resources.gpu!r} and there is no GPU here, so the "
                        "handler ran its setup alone. The rest runs first where it is deployed.",
                        hint="Try a stage without one first, or build on a machine with a GPU.",
                    )
                )
            with self.cache.staging() as tmp:
                layers = {layer.name: layer for layer in bundle.layers}
                bundle = replace(bundle, contract=verify(self.project, layers, interpreter, tmp=tmp).contract)
        save_bundle(self.cache, bundle)
        return bundle


def _may_be_trimming(failure: VerifyFailed, packages: tuple[Package, ...], trimmed: Trimmed) -> bool:
    """Say whether `failure` speaks of a package of which something was left out."""
    if not trimmed.removed:
        return False
    touched = [package for package in packages if trimmed.kept.get(package.name) != package.files]
    return any(module in failure.message for package in touched for module in package.modules())
