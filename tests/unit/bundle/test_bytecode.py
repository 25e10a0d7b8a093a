import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.fakes.interrupts import interrupts_heard
from tests.fakes.patience import PATIENCE_S

from preheat.bundle.bytecode import compile_tree
from preheat.bundle.cache import Cache
from preheat.bundle.digest import File, content_file, read_folder, tree_digest
from preheat.bundle.interpreter import Interpreter, find_interpreter
from preheat.bundle.layers import materialise
from preheat.errors import BundleError

VERSIONS = ("3.11", "3.12", "3.13")
SOURCES = {
    "pkg/__init__.py": "from pkg.words import WORDS\n",
    "pkg/words.py": "WORDS = frozenset({'a', 'b', 'c', 'some longer text'})\n"
    "def known(word):\n    return word in {'x', 'y', 'z', 1, None, 'another longer text'}\n",
    "typing_like.py": "class NewType:\n    def f(self):\n        class Dummy: ...\n        return Dummy\n",
    **{f"many/m{number}.py": f"def f{number}():\n    return 'f{number}'\n" for number in range(90)},
}


@pytest.fixture(params=VERSIONS)
def interpreter(request: pytest.FixtureRequest) -> Interpreter:
    found = find_interpreter(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} here")
    return found


@pytest.fixture
def running() -> Interpreter:
    found = find_interpreter(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert found is not None
    return found


def written(folder: Path, names: list[str]) -> dict[str, File]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(SOURCES[name])
    return read_folder(folder)


def test_byte_code_is_the_same_bytes_from_any_folder_in_any_order(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    digests = set()
    for number, names in enumerate((list(SOURCES), list(SOURCES)[::-1], sorted(SOURCES))):
        tree = written(tmp_path / f"folder-{number}", names)
        os.utime(tmp_path / f"folder-{number}" / "typing_like.py", (number, number))
        cache = Cache(tmp_path / f"cache-{number}")
        for part in ({}, {name: tree[name] for name in names[:number]}):  # some come from the cache
            compile_tree(part, interpreter, cache)
        digests.add(tree_digest(compile_tree(tree, interpreter, cache)))
    assert len(digests) == 1


def test_the_targets_python_imports_it_without_the_source(interpreter: Interpreter, cache: Cache) -> None:
    source = content_file(b"import sys\nprint(__cached__ is not None, sys.version_info[:2])\n")
    compiled = compile_tree({"mod.py": source}, interpreter, cache)
    assert list(compiled) == [f"__pycache__/mod.{interpreter.tag}.pyc"]
    # An unchecked hash: the source may change, the byte-code still counts.
    layer = materialise(cache, "code", {"mod.py": content_file(b"raise SystemExit(9)\n"), **compiled})
    command = f"import sys; sys.path.insert(0, {str(layer.path)!r}); import mod"
    answer = subprocess.run(
        [interpreter.path, "-I", "-S", "-B", "-c", command], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("True")


def test_no_path_of_this_machine_is_in_it(running: Interpreter, cache: Cache, tmp_path: Path) -> None:
    tree = written(tmp_path / "checkout", ["pkg/words.py"])
    (compiled,) = compile_tree(tree, running, cache).values()
    assert isinstance(compiled.source, Path)
    content = compiled.source.read_bytes()
    assert b"pkg/words.py" in content
    assert b"checkout" not in content


def test_the_same_source_at_two_paths_names_each_in_tracebacks(running: Interpreter, cache: Cache) -> None:
    same = content_file(b"def f(): ...\n")
    one, two = compile_tree({"a.py": same, "b.py": same}, running, cache).values()
    assert one.sha256 != two.sha256


def test_what_is_no_python_is_left_out_once_and_for_all(running: Interpreter, cache: Cache) -> None:
    tree = {"ok.py": content_file(b"x = 1\n"), "template.py": content_file(b"{{ name }} = 1 1\n")}
    for _ in range(2):
        assert list(compile_tree(tree, running, cache)) == [f"__pycache__/ok.{running.tag}.pyc"]


def test_a_module_that_changes_meanwhile_is_an_error(
    running: Interpreter, cache: Cache, tmp_path: Path
) -> None:
    tree = written(tmp_path / "checkout", ["pkg/words.py"])
    (tmp_path / "checkout" / "pkg" / "words.py").write_text("WORDS = ()\n")
    with pytest.raises(BundleError, match=r"words\.py changed while it was being built"):
        compile_tree(tree, running, cache)


def test_an_interpreter_that_fails_is_an_error_with_its_words(running: Interpreter, cache: Cache) -> None:
    broken = Interpreter(Path("/bin/false"), running.version, running.tag)
    with pytest.raises(BundleError, match="/bin/false could not byte-compile"):
        compile_tree({"a.py": content_file(b"x = 1\n")}, broken, cache)


def test_compiling_runs_nothing_of_the_environment_or_of_site_packages(
    running: Interpreter, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([running.path, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (site_packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for folder in (foreign, site_packages):
        (folder / "sitecustomize.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write(__file__)\n")
    (foreign / "hashlib.py").write_text("raise SystemExit('the environment chose this module')\n")
    monkeypatch.setenv("PYTHONPATH", str(foreign))
    inside = Interpreter(tmp_path / "venv" / "bin" / "python", running.version, running.tag)
    compiled = compile_tree({"mod.py": content_file(b"x = 1\n")}, inside, cache)
    assert list(compiled) == [f"__pycache__/mod.{running.tag}.pyc"]
    assert not (tmp_path / "ran").exists()


def test_an_interrupt_ends_the_processes_that_compile(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    stalls = tmp_path / "python"
    # As slow to start as the real one, so that the interrupt comes when all are started.
    stalls.write_text(
        f"#!{sys.executable}\nimport signal\nheld = open({str(pipe)!r}, 'w', buffering=1)\n"
        "held.write('up\\n')\nsignal.pause()\n"
    )
    stalls.chmod(0o755)
    tree = written(tmp_path / "source", ["pkg/words.py"])
    left: list[str] = []

    def interrupt() -> None:
        with pipe.open() as held:
            assert held.readline() == "up\n"
            os.kill(os.getpid(), signal.SIGINT)
            left.append(held.read())  # ends when no process holds the other end any more

    thread = threading.Thread(target=interrupt)
    with interrupts_heard():
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            compile_tree(tree, Interpreter(stalls, "3.11.0", "cpython-311"), Cache(tmp_path / "cache"))
    thread.join(PATIENCE_S)
    assert left == [""]
