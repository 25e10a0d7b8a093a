"""What might make a start shorter, each tried: a changed start beside an unchanged one, in the same rounds.

    imports      a package of the handler replaced by a stand-in: where every answer stays, it was not needed
    byte-code    modules that are compiled at each start, with their byte-code in a folder aside
    threads      sessions with as many threads as the project has processors
    padding      a tokenizer that pads to a fixed length, without that
    sessions     onnxruntime models optimised beforehand, their weights mapped: as `preheat tune` makes them

Starts processes, and writes to the scratch folder that it is given. A trial that fails saves nothing, and
is left out.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from preheat.coldstart.imports import by_user
from preheat.coldstart.model import Cores, Import, Sample
from preheat.coldstart.starting import PROBED, Change, Starter
from preheat.coldstart.subject import Subject
from preheat.errors import HandlerError

LEAST_IMPORT_MS = 3.0
LEAST_SESSION_MS = 10.0
MOST_IMPORTS = 4
"""How many imports are tried: the longest ones."""
TUNED = "tuned.json"
SESSION = "onnxruntime.InferenceSession"


@dataclass(frozen=True, slots=True)
class Trial:
    """A change, and what to tell where it saves something; `run` makes one start with it."""

    what: str
    how: str
    run: Callable[[], Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Finds what to try for `subject`, given one probed start of it and its imports.

    `repeatable` says that the same input has the same answer at every start. All starts are on `cores`.
    """

    subject: Subject
    starter: Starter
    cores: Cores
    folder: Path
    sample: Sample
    imports: tuple[Import, ...]
    repeatable: bool

    def found(self) -> Iterator[Trial]:
        """Yield each that works once. Starts a process or two for each."""
        for trial in self._candidates():
            try:
                trial.run()
            except HandlerError:
                continue
            yield trial

    def _candidates(self) -> Iterator[Trial]:
        yield from self._without_imports()
        yield from self._with_bytecode()
        yield from self._fewer_threads()
        yield from self._without_padding()
        yield from self._with_optimised_models()

    def _started(self, change: Change, subject: Subject | None = None) -> Sample:
        return self.starter.start((subject or self.subject).rehearsal, self.cores, change)

    def _same_answer(self, change: Change) -> Sample:
        sample = self._started(change)
        if self.repeatable and sample.answer != self.sample.answer:
            raise HandlerError("The answer is another one.")
        return sample

    def _without_imports(self) -> Iterator[Trial]:
        subject = self.subject
        imported = by_user(self.imports, subject.own_modules)
        for each in sorted(imported, key=lambda one: -one.ms)[:MOST_IMPORTS]:
            if each.ms < LEAST_IMPORT_MS:
                continue
            change = replace(PROBED, absent=(each.name,))
            yield Trial(
                what=f"import {each.name}",
                how=f"Neither setup nor the answers need {each.name}: import it in the function that does.",
                run=lambda change=change: self._same_answer(change),  # type: ignore[misc]
            )

    def _with_bytecode(self) -> Iterator[Trial]:
        missing = uncompiled(self.subject)
        if not missing:
            return
        change = replace(
            PROBED,
            flags=("-X", f"pycache_prefix={self.folder / 'bytecode'}"),
            without=frozenset({"-B"}),
        )
        yield Trial(
            what=f"{missing} modules without byte-code",
            how="Python compiles them at each start. Compile them where the image is made: "
            "python -m compileall",
            run=lambda: self._started(change),
        )

    def _fewer_threads(self) -> Iterator[Trial]:
        threads = self.subject.threads
        if all(0 < mark["threads"] <= threads for mark in _sessions(self.sample)):
            return
        change = replace(PROBED, threads=threads)
        yield Trial(
            what="threads of onnxruntime",
            how=f"onnxruntime has one for each core, and the project has {threads}: "
            "options.intra_op_num_threads = max(1, int(ctx.cpus))",
            run=lambda: self._started(change),
        )

    def _without_padding(self) -> Iterator[Trial]:
        padded = list(padding_tokenizers(self.subject.weights.path))
        if not padded:
            return
        weights = unpadded(self.subject.weights.path, (path for path, _ in padded), self.folder / "weights")
        subject = self.subject.with_weights(weights)
        lengths = ", ".join(f"{path.name} to {length} tokens" for path, length in padded)
        yield Trial(
            what=f"padding of {lengths}",
            how="tokenizer.no_padding() after Tokenizer.from_file, or enable_padding() for batches.",
            run=lambda: self._started(PROBED, subject),
        )

    def _with_optimised_models(self) -> Iterator[Trial]:
        models = untuned(session_models(self.sample))
        opened_ms = sum((mark["to"] - mark["from"]) / 1e6 for mark in _sessions(self.sample))
        if not models or opened_ms < LEAST_SESSION_MS:
            return
        made = self.folder / "optimised"
        try:
            self.starter.bare(self.subject.path, models, make=made)
        except HandlerError:  # a model that onnxruntime cannot write again: nothing to offer
            return
        better = {model: str(made / str(number) / "model.onnx") for number, model in enumerate(models)}
        yield Trial(
            what=f"session of {', '.join(Path(model).name for model in models)}",
            how="Each start optimises the model and copies its weights. To do that once: preheat tune",
            run=lambda: self._started(replace(PROBED, models=better)),
        )


def session_models(sample: Sample) -> tuple[str, ...]:
    """Return the files of the onnxruntime models that the handler opened, each as often as it did."""
    return tuple(mark["file"] for mark in _sessions(sample) if mark["file"] is not None)


def untuned(models: Iterable[str]) -> tuple[str, ...]:
    """Return those of `models`, each once, that `preheat tune` has not made."""
    return tuple(model for model in dict.fromkeys(models) if not Path(model).with_name(TUNED).exists())


def uncompiled(subject: Subject) -> int:
    """Return how many modules Python would compile at each start: of the bundle, and of its own library."""
    tag = subject.interpreter.tag
    library = subject.interpreter.path.parent.parent / "lib" / f"python{subject.bundle.target.python}"
    code, dependencies = subject.bundle.layer("code").path, subject.bundle.layer("dependencies").path
    return sum(
        not (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").exists()
        for folder in (code, dependencies, library / "json", library / "asyncio")
        for path in folder.rglob("*.py")
    )


def padding_tokenizers(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield each tokenizer file below `folder` that pads every text to a fixed length, and the length."""
    for path in sorted(folder.rglob("*.json")):
        try:
            yield path, int(json.loads(path.read_bytes())["padding"]["strategy"]["Fixed"])
        except (ValueError, KeyError, TypeError, OSError):
            continue


def unpadded(folder: Path, tokenizers: Iterable[Path], into: Path) -> Path:
    """Return a copy of `folder`, made of links, whose `tokenizers` do not pad."""
    shutil.copytree(folder, into, copy_function=os.symlink)
    for path in tokenizers:
        copied = into / path.relative_to(folder)
        document = json.loads(path.read_bytes())
        copied.unlink()
        copied.write_text(json.dumps({**document, "padding": None}))
    return into


def _sessions(sample: Sample) -> list[Mapping[str, Any]]:
    return [mark for mark in sample.marks if mark["event"] == "load" and mark["name"] == SESSION]
