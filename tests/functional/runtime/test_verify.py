"""The proof of a bundle, in the bundle's own interpreter."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.code_layer import make_code_layer
from tests.fakes.patience import PATIENCE_S
from tests.fakes.supervisor import PYTHON
from tests.fakes.wheels import lay_installed

from preheat.interface.manifest import Limits

pytestmark = pytest.mark.runtime


def verify(
    tmp_path: Path, source: str, *, limits: Limits | None = None, only_setup: bool = False
) -> tuple[dict[str, Any], subprocess.CompletedProcess[bytes]]:
    code = make_code_layer(tmp_path / "code", source, limits=limits)
    lay_installed(tmp_path / "dependencies", "orjson")
    (tmp_path / "tmp").mkdir()
    document = {
        "code": str(code),
        "dependencies": str(tmp_path / "dependencies"),
        "weights": str(tmp_path),
        "name": "demo",
        "stage": "dev",
        "memory_mb": 512,
        "tmp_mb": 64,
        "cpus": 1,
        "tmp": str(tmp_path / "tmp"),
        "only_setup": only_setup,
    }
    run = subprocess.run(
        [PYTHON, "-I", "-S", "-B", "-X", "utf8", str(code / "preheat" / "runtime" / "verify.py")],
        input=json.dumps(document).encode(),
        capture_output=True,
        env={},
        timeout=PATIENCE_S,
    )
    return (json.loads(run.stdout.splitlines()[-1]) if run.stdout else {}), run


def test_a_handler_that_works_yields_its_contract_with_examples_and_answers(tmp_path: Path) -> None:
    answer, run = verify(
        tmp_path,
        """
        import preheat, sys
        class Model(preheat.Handler):
            '''Doubles.'''
            def setup(self, ctx): print("noise on stdout")
            def examples(self): return [1, 2]
            def predict(self, number: int) -> int: return number * 2
            def teardown(self, ctx): sys.stdout.write("more noise")
        """,
    )
    assert (answer["ok"], run.returncode) == (True, 0)
    assert answer["contract"]["description"] == "Doubles."
    assert answer["contract"]["examples"] == [1, 2]
    assert answer["contract"]["answers"] == [2, 4]
    assert [phase["name"] for phase in answer["phases"]] == [
        "import",
        "setup",
        "restore",
        "examples",
        "teardown",
    ]
    assert b"noise" not in run.stdout
    assert b"noise on stdout" in run.stderr
    assert b"more noise" in run.stderr


@pytest.mark.parametrize(
    ("predict", "answers"),
    [
        ("@preheat.batched(max_size=4)\n    def predict(self, n: list[int]) -> list[int]: return n", [1, 2]),
        ("def predict(self, n: int) -> Iterator[int]: yield from range(n)", [[0], [0, 1]]),
        ("async def predict(self, n: int) -> AsyncIterator[int]:\n        yield n", [[1], [2]]),
        ("async def predict(self, n: int) -> int: return n", [1, 2]),
        ("def predict(self, n: int) -> bytes: return bytes([n])", ["AQ==", "Ag=="]),
    ],
)
def test_every_kind_of_predict_runs_its_examples(tmp_path: Path, predict: str, answers: list[object]) -> None:
    answer, run = verify(
        tmp_path,
        "import preheat\nfrom collections.abc import AsyncIterator, Iterator\n"
        "class Model(preheat.Handler):\n    def examples(self): return [1, 2]\n    " + predict,
    )
    assert answer.get("ok"), (answer, run.stderr)
    assert answer["contract"]["answers"] == answers


@pytest.mark.parametrize(
    ("body", "phase", "message"),
    [
        ("def predict(self, n): return n", "check", "app:Model is wrong"),
        ("def predict(self, n: int) -> int: return 1 / 0", "examples", "examples()[0] was answered 500"),
        ("def predict(self, n: int) -> int: return 'x'", "examples", "examples()[0] was answered 500"),
        ("def predict(self, n: str) -> str: return n", "examples", "str"),
        (
            "def predict(self, n: int) -> int: return n\n"
            "    def setup(self, ctx): raise ValueError('no weights')",
            "setup",
            "ValueError: no weights",
        ),
        (
            "def predict(self, n: int) -> int: return n\n    def teardown(self, ctx): raise KeyError('x')",
            "teardown",
            "KeyError",
        ),
        (
            "@preheat.batched(max_size=4)\n    def predict(self, n: list[int]) -> list[int]: return n[:1]",
            "examples",
            "was answered 500",
        ),
    ],
)
def test_a_failure_names_its_phase_and_shows_the_users_lines(
    tmp_path: Path, body: str, phase: str, message: str
) -> None:
    source = (
        "import preheat\nclass Model(preheat.Handler):\n    def examples(self): return [1, 2]\n    " + body
    )
    answer, run = verify(tmp_path, source)
    assert (answer["ok"], answer["phase"], run.returncode) == (False, phase, 1)
    assert message in answer["message"] + json.dumps(answer["mistakes"])
    if phase == "check":
        mistake = answer["mistakes"][0]
        assert (mistake["file"], mistake["line"]) == ("app.py", 4)
        assert "annotation" in mistake["message"]
        assert mistake["fix"].startswith("def predict(self, n")
    if "1 / 0" in body or phase in {"setup", "teardown"}:
        assert "app.py" in answer["traceback"]
        assert "preheat/runtime" not in answer["traceback"]


def test_an_import_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    answer, _ = verify(tmp_path, "import preheat\nimport not_there_at_all")
    assert (answer["phase"], answer["ok"]) == ("import", False)
    assert "not_there_at_all" in answer["message"]


def test_a_setup_that_never_ends_is_ended(tmp_path: Path) -> None:
    source = """
        import preheat
        class Model(preheat.Handler):
            def setup(self, ctx):
                while True: pass
            def predict(self, n: int) -> int: return n
        """
    _, run = verify(tmp_path, source, limits=Limits(setup_s=0.3))
    assert run.returncode == -14


def test_a_threaded_predict_is_proved_with_calls_that_overlap(tmp_path: Path) -> None:
    answer, _ = verify(
        tmp_path,
        """
        import preheat, threading
        class Model(preheat.Handler):
            def setup(self, ctx): self.alone, self.met, self.together = [1, 2], [], threading.Barrier(2)
            def examples(self): return [1, 2]
            @preheat.threaded(threads=2)
            def predict(self, number: int) -> int:
                if self.alone: return self.alone.pop(0)
                self.met.append(self.together.wait(120))
                return number
            def teardown(self, ctx): assert self.met and threading.current_thread() is threading.main_thread()
        """,
    )
    assert answer["ok"], answer
    assert answer["contract"]["answers"] == [1, 2]
    assert answer["contract"]["threads"] == 2


def test_setup_alone_is_the_proof_where_there_is_no_gpu(tmp_path: Path) -> None:
    source = """
        import preheat
        class Model(preheat.Handler):
            def setup(self, ctx): print("in setup")
            def restore(self, ctx): raise RuntimeError("no GPU")
            def examples(self): return [1]
            def predict(self, number: int) -> int: raise RuntimeError("no GPU")
            def teardown(self, ctx): raise RuntimeError("no GPU")
        """
    answer, run = verify(tmp_path / "without", source, only_setup=True)
    assert answer["ok"], answer
    assert b"in setup" in run.stderr
    assert answer["contract"]["input"]["type"] == "integer"
    assert (answer["contract"]["examples"], answer["contract"]["answers"]) == ([], [])
    assert verify(tmp_path / "with", source)[0]["phase"] == "restore"


@pytest.mark.parametrize(
    ("body", "line", "message", "fix"),
    [
        (
            "def predict(self, n: str) -> str: return n",
            4,
            "examples()[0] does not fit predict's input, str: expected str, got int.",
            None,
        ),
        (
            "def predict(self, n: list[str]) -> str: return n",
            4,
            "examples()[0] does not fit predict's input, list[str]: expected list, got int.",
            None,
        ),
        (
            "def predict(self, n: int) -> Out: return {'a': n}",
            5,
            "The result does not fit Out: expected Out, got dict.",
            "return Out(**result)",
        ),
        (
            "def predict(self, n: int) -> dict[str, int]: return n",
            5,
            "The result does not fit dict[str, int]: expected dict, got int.",
            None,
        ),
    ],
)
def test_what_does_not_fit_is_told_with_the_line_that_is_to_blame(
    tmp_path: Path, body: str, line: int, message: str, fix: str | None
) -> None:
    source = (
        "from dataclasses import dataclass\nimport preheat\nclass Model(preheat.Handler):\n"
        f"    def examples(self): return [1]\n    {body}\n@dataclass\nclass Out:\n    a: int\n"
    )
    answer, _ = verify(tmp_path, source.replace("-> Out", "-> 'Out'"))
    (mistake,) = answer["mistakes"]
    assert mistake["message"].endswith(message)
    assert (mistake["file"], mistake["line"], mistake["fix"]) == ("app.py", line, fix)
    assert (answer["ok"], answer["phase"], answer["traceback"]) == (False, "examples", "")


def test_what_predict_raised_is_in_the_headline(tmp_path: Path) -> None:
    body = "def examples(self): return [1]\n    def predict(self, n: int) -> int: return 1 / 0"
    answer, _ = verify(tmp_path, f"import preheat\nclass Model(preheat.Handler):\n    {body}")
    assert answer["message"].endswith("ZeroDivisionError: division by zero")
    assert "logs" not in answer["message"]
