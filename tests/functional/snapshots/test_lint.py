"""Handlers whose setup freezes something, each in its own way, in the bundle's real runtime."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import orjson
import pytest
from tests.fakes.code_layer import make_code_layer

from preheat.bundle.apart import VerifyFailed
from preheat.bundle.model import Bundle, Layer, LayerName, Target
from preheat.errors import BundleError
from preheat.findings import Finding
from preheat.progress import quiet
from preheat.project.model import Project, Resources
from preheat.snapshots.lint import lint

pytestmark = pytest.mark.runtime

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HEAD = """
import datetime, os, random, socket, threading, time, uuid
import preheat

"""
PREDICT = """
    def predict(self, text: str) -> str:
        return text
"""
Look = Callable[..., tuple[Finding, ...]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Lints a handler whose class body is given, and optionally lines before the class."""
    dependencies = tmp_path / "dependencies"
    dependencies.mkdir()
    for package in (orjson, numpy):
        found = Path(str(package.__file__)).parent
        for folder in (found, found.with_name(f"{found.name}.libs")):
            (dependencies / folder.name).symlink_to(folder)
    weights = tmp_path / "weights"
    weights.mkdir()

    def look(
        body: str, *, before: str = "", python: str = PYTHON, gpu: str | None = None
    ) -> tuple[Finding, ...]:
        root = tmp_path / "project"
        root.mkdir()
        source = f"{HEAD}{before}\n\nclass Model(preheat.Handler):\n{body}{PREDICT}"
        (root / "app.py").write_text(source)
        code = make_code_layer(tmp_path / "code", source)
        paths: dict[LayerName, Path] = {"code": code, "dependencies": dependencies, "weights": weights}
        bundle = Bundle(
            digest="sha256:0",
            target=Target(provider="local", platform="linux", python=python),
            layers=tuple(Layer(name=name, digest="", bytes=0, path=path) for name, path in paths.items()),
            sizes=(),
            path=tmp_path,
            cached=False,
            contract=None,
        )
        project = Project(
            root=root, stage="dev", name="demo", handler="app:Model", resources=Resources(gpu=gpu)
        )
        return lint(project, bundle, report=quiet)

    return look


def setup(*lines: str) -> str:
    return "    def setup(self, ctx):\n" + "".join(f"        {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("line", "path", "said"),
    [
        ("self.run = uuid.uuid4()", "self.run", "an id that setup makes"),
        ("self.run = uuid.uuid4().hex", "self.run", "an id that setup makes"),
        ("self.chance = random.Random()", "self.chance", "draw the same numbers"),
        (
            "import numpy; self.chance = numpy.random.default_rng()",
            "self.chance",
            "draw the same numbers",
        ),
        ("self.drawn = {'first': [random.random()]}", "self.drawn['first'][0]", "made anew by each setup"),
        ("self.token = os.urandom(16)", "self.token", "made anew by each setup"),
        ("self.since = time.time()", "self.since", "it stands still"),
        ("self.since = time.monotonic_ns()", "self.since", "it stands still"),
        ("self.since = datetime.datetime.now()", "self.since", "it stands still"),
        ("self.since = datetime.date.today()", "self.since", "it stands still"),
        ("type(self).since = time.time()", "self.since", "it stands still"),
        ("self.drawn = {random.random()}", "self.drawn", "made anew by each setup"),
        ("self.token = bytearray(os.urandom(16))", "self.token", "made anew by each setup"),
        ("import numpy; self.drawn = numpy.random.rand(8)", "self.drawn", "made anew by each setup"),
        ("self.one, self.two = socket.socketpair()", "self.one", "an open socket"),
    ],
)
def test_what_all_copies_would_share_is_found_at_its_line(
    look: Look, line: str, path: str, said: str
) -> None:
    finding = look(setup(line))[0]
    assert finding.message.startswith(path)
    assert said in finding.message
    assert finding.file is not None
    assert (finding.file.name, finding.line) == ("app.py", 9)
    assert finding.fix is not None
    assert finding.fix.startswith("def restore(self, ctx): ")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("run = uuid.uuid4().hex", "an id that setup makes"),
        ("run = random.Random()", "draw the same numbers"),
        ("run = time.time()", "it stands still"),
        ("run = socket.socket()", "an open socket"),
    ],
)
def test_what_a_class_body_makes_is_found_at_its_line(look: Look, line: str, said: str) -> None:
    (finding,) = look(f"    {line}\n")
    assert finding.message.startswith("self.run is ")
    assert said in finding.message
    assert finding.line == 8


def test_what_another_class_of_the_user_holds_is_found(look: Look) -> None:
    (finding,) = look(setup("pass"), before="class Part:\n    begun = time.time()")
    assert finding.message.startswith("app.Part.begun is the time of setup")
    assert finding.line == 6


@pytest.mark.parametrize(
    "lines",
    [
        ("self.chance = random.Random(7)", "self.name = 'a constant'", "self.limit = 123456"),
        ("random.seed(3)", "self.model = [[0.25, 0.5]] * 3"),
        ("self.tmp = ctx.tmp", "self.short = random.randrange(1000)"),
        ("self.first = datetime.datetime.min", "self.last = datetime.date.max", "self.large = 2**2048"),
        ("import numpy; self.weights = numpy.arange(9.0)", "self.names = {'first', 'second'}"),
    ],
)
def test_constants_and_the_generators_that_all_share_are_no_finding(
    look: Look, lines: tuple[str, ...]
) -> None:
    assert look(setup(*lines)) == ()


def test_what_restore_makes_anew_is_no_finding(look: Look) -> None:
    body = setup("self.run = uuid.uuid4()") + "    def restore(self, ctx):\n        self.run = uuid.uuid4()\n"
    assert look(body) == ()


def test_a_day_that_restore_makes_anew_is_no_finding(look: Look) -> None:
    body = setup("self.day = datetime.date.today()")
    assert look(body + "    def restore(self, ctx):\n        self.day = datetime.date.today()\n") == ()


def test_what_cannot_be_looked_at_is_an_error_and_no_restore_that_fails(look: Look) -> None:
    body = "    def restore(self, ctx):\n        self.part = Part()\n"
    part = "class Part:\n    __slots__ = ('name',)\n    def __getattr__(self, name): raise KeyError(name)"
    with pytest.raises(VerifyFailed, match="after restore cannot be looked at") as failed:
        look(body, before=part)
    assert "KeyError" in failed.value.traceback


def test_globals_of_the_users_modules_are_looked_at(look: Look) -> None:
    (finding,) = look(setup("pass"), before="STARTED = time.time()")
    assert finding.message.startswith("app.STARTED is the time of setup")
    assert finding.line == 5


def test_a_socket_that_no_path_leads_to_is_found_by_its_descriptor(look: Look) -> None:
    (finding,) = look(setup("pair = socket.socketpair(); os.dup(pair[0].fileno())"))
    assert "setup leaves 1 open socket:" in finding.message


def test_threads_that_no_fork_has_are_named(look: Look) -> None:
    (finding,) = look(setup("threading.Thread(target=threading.Event().wait, daemon=True).start()"))
    assert "setup leaves 1 thread running" in finding.message


def test_a_restore_that_fails_or_ends_a_copy_is_a_finding(look: Look) -> None:
    (finding,) = look("    def restore(self, ctx):\n        raise ValueError('no token')\n")
    assert "restore fails in a copy of this process" in finding.message
    assert "no token" in finding.message


def test_a_restore_that_ends_the_process_is_a_finding(look: Look) -> None:
    (finding,) = look("    def restore(self, ctx):\n        os._exit(3)\n")
    assert "ended the process" in finding.message


def test_a_setup_that_fails_is_an_error(look: Look) -> None:
    with pytest.raises(VerifyFailed, match="bad weights"):
        look(setup("raise ValueError('bad weights')"))


def test_without_the_gpu_that_it_asks_for_only_setup_is_judged(look: Look) -> None:
    body = setup("self.a, self.b = socket.socketpair()", "self.run = uuid.uuid4()")
    body += "    def restore(self, ctx):\n        raise OSError('no GPU')\n"
    assert [finding.message.split(" ")[0] for finding in look(body, gpu="T4")] == ["self.a", "self.b"]


def test_a_python_that_is_not_here_is_an_error_with_the_line_that_gets_it(look: Look) -> None:
    with pytest.raises(BundleError, match=r"Python 3\.1 ") as caught:
        look(setup("pass"), python="3.1")
    assert caught.value.hint == "uv python install 3.1"
