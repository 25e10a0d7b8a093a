"""Handlers and bundles that cannot be measured: each is told apart, and leaves no process behind."""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.local import project
from tests.fakes.provider import InMemoryProvider
from tests.fakes.rehearsing import UPPER, RehearsingProvider
from tests.functional.coldstart.conftest import Made

from preheat.coldstart.measuring import measure
from preheat.coldstart.rounds import Asked
from preheat.coldstart.starting import Starter
from preheat.coldstart.subject import Subject, rehearses, subject_of
from preheat.errors import BundleError, HandlerError, ProviderError
from preheat.interface.manifest import Limits
from preheat.progress import quiet
from preheat_providers.local.provider import LocalProvider

WITH_SETUP = """
    import os, signal
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            {setup}

        def examples(self):
            return []

        def predict(self, text: str) -> str:
            {predict}
            return text.upper()
"""
PAUSE = "signal.pause()"


def handler(*, setup: str = "pass", predict: str = "pass") -> str:
    return WITH_SETUP.format(setup=setup, predict=predict)


def test_a_setup_that_crashes_is_told_with_its_traceback(
    made: Made, starter: Callable[[Subject], Starter]
) -> None:
    subject = made(handler(setup="raise ValueError('no such weights')"))
    with pytest.raises(HandlerError, match="no such weights") as caught:
        starter(subject).start(subject.rehearsal)
    assert "app.py" in caught.value.message


def test_a_process_that_dies_in_setup_is_told_with_how(
    made: Made, starter: Callable[[Subject], Starter]
) -> None:
    subject = made(handler(setup="os._exit(7)"))
    with pytest.raises(HandlerError, match="exit code 7"):
        starter(subject).start(subject.rehearsal)


def test_a_setup_that_hangs_is_ended_at_its_limit(made: Made, starter: Callable[[Subject], Starter]) -> None:
    subject = made(handler(setup=PAUSE), limits=Limits(setup_s=1.0))
    with pytest.raises(HandlerError, match="SIGALRM"):
        starter(subject).start(subject.rehearsal)


def test_a_predict_that_hangs_is_told_as_its_answer(
    made: Made, starter: Callable[[Subject], Starter]
) -> None:
    subject = made(handler(predict=PAUSE), limits=Limits(setup_s=20.0, timeout_s=1.0))
    with pytest.raises(HandlerError, match="answered 504"):
        starter(subject).start(subject.rehearsal)


def test_a_start_has_a_limit_of_its_own(made: Made, starter: Callable[[Subject], Starter]) -> None:
    subject = made(handler(setup=PAUSE))
    with pytest.raises(HandlerError, match=r"not through after 0\.5 s"):
        replace(starter(subject), limit_s=0.5).start(subject.rehearsal)


def test_what_a_handler_prints_is_not_its_answer(made: Made, starter: Callable[[Subject], Starter]) -> None:
    noise = 'print(\'{"event": "ready"}\', "x" * 100_000, flush=True)'
    subject = made(handler(setup=noise, predict=noise))
    assert starter(subject).start(subject.rehearsal).answer == b'"A"'


def test_an_interrupt_ends_the_process_that_is_being_measured(made: Made, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    subject = made(handler(setup=f"open({str(pipe)!r}, 'w').write(str(os.getpid())) and {PAUSE}"))
    started: list[int] = []

    def interrupt() -> None:
        started.append(int(pipe.read_text()))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        measure(subject, Asked(), report=quiet)
    thread.join()
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


def test_one_core_is_one_core(made: Made, starter: Callable[[Subject], Starter]) -> None:
    source = UPPER.replace("import preheat", "import os\n    import preheat", 1)
    counting = source.replace("text.upper()", "str(len(os.sched_getaffinity(0)))")
    subject, cores = made(counting), os.sched_getaffinity(0)
    assert starter(subject).start(subject.rehearsal, "one").answer == b'"1"'
    assert starter(subject).start(subject.rehearsal, "all").answer == f'"{len(cores)}"'.encode()
    assert os.sched_getaffinity(0) == cores


def test_a_bundle_for_another_architecture_is_refused(made: Made) -> None:
    bundle = made(UPPER).bundle
    foreign = replace(bundle, target=replace(bundle.target, platform="riscv64-manylinux_2_34"))
    with pytest.raises(BundleError, match=r"for riscv64-manylinux_2_34, and this machine is"):
        subject_of(foreign, project(), LocalProvider())


def test_a_bundle_for_a_python_that_is_not_here_is_refused(made: Made) -> None:
    bundle = made(UPPER).bundle
    foreign = replace(bundle, target=replace(bundle.target, python="3.99"))
    with pytest.raises(BundleError, match=r"for Python 3\.99, which is not on this machine") as caught:
        subject_of(foreign, project(), LocalProvider())
    assert caught.value.hint == "uv python install 3.99"


def test_a_handler_without_examples_is_refused(made: Made) -> None:
    with pytest.raises(HandlerError, match="has no examples"):
        made(UPPER, contract={"examples": []})


def test_a_function_without_examples_is_told_where_they_belong(made: Made) -> None:
    bundle = made(UPPER).bundle
    assert bundle.contract is not None
    bundle = replace(bundle, contract={**bundle.contract, "examples": []})
    of_function = replace(project(), handler="preheat_handlers.function:text.words")
    with pytest.raises(HandlerError, match="has no examples") as caught:
        subject_of(bundle, of_function, LocalProvider())
    assert caught.value.hint == 'words.examples = ["an input"]  # below the function'


def test_a_provider_that_cannot_be_rehearsed_is_refused() -> None:
    with pytest.raises(ProviderError, match="Nothing of provider 'memory'") as caught:
        rehearses(InMemoryProvider())
    assert caught.value.hint == "preheat coldstart --provider local"


def test_a_machine_without_linux_is_told_so() -> None:
    with pytest.raises(ProviderError, match="this is darwin"):
        rehearses(RehearsingProvider(), "darwin")
