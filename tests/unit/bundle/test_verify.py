"""Handlers that fail, each in its own way, through the real runtime."""

from collections.abc import Callable
from pathlib import Path

import pytest

from preheat.bundle.apart import VerifyFailed, environment, lacks_gpu
from preheat.bundle.build import build
from preheat.bundle.model import Target
from preheat.interface.manifest import Limits
from preheat.progress import Event, Notice, quiet
from preheat.project.model import Project, Resources

Make = Callable[..., Project]
HEAD = "import os, sys, time\nimport preheat\n\n\nclass Model(preheat.Handler):\n"
PREDICT = "    def predict(self, text: str) -> str:\n        return text\n\n"


def failure(project: Project, target: Target, body: str) -> VerifyFailed:
    (project.root / "handler.py").write_text(HEAD + body)
    with pytest.raises(VerifyFailed) as caught:
        build(project, target, report=quiet)
    return caught.value


@pytest.mark.parametrize(
    ("body", "phase", "said"),
    [
        ("    import no_such_module\n" + PREDICT, "import", "no_such_module"),
        (
            PREDICT + "    def setup(self, ctx):\n        raise ValueError('bad weights')\n",
            "setup",
            "bad weights",
        ),
        (
            PREDICT + "    def restore(self, ctx):\n        raise ValueError('no token')\n",
            "restore",
            "no token",
        ),
        (
            "    def predict(self, text: str) -> str:\n        return 1 / 0\n\n"
            "    def examples(self):\n        return ['a']\n",
            "examples",
            "ZeroDivisionError",
        ),
        (PREDICT + "    def setup(self, ctx):\n        os._exit(3)\n", "verification", "exit code 3"),
        (PREDICT + "    def setup(self, ctx):\n        os.abort()\n", "verification", "SIGABRT"),
        (
            PREDICT + "    def setup(self, ctx):\n        os.close(1); os._exit(1)\n",
            "verification",
            "no answer",
        ),
    ],
)
def test_a_handler_that_fails_says_where_and_why(
    make_project: Make, target: Target, body: str, phase: str, said: str
) -> None:
    error = failure(make_project(), target, body)
    assert error.phase == phase
    assert said in error.message


def test_an_example_that_does_not_fit_is_found_in_the_projects_own_file(
    make_project: Make, target: Target
) -> None:
    project = make_project()
    examples = "    def examples(self):\n        return [1]\n"
    (finding,) = failure(project, target, PREDICT + examples).findings
    assert (finding.file, finding.line) == (project.root / "handler.py", 9)


def test_a_result_of_anothers_predict_that_does_not_fit_has_no_place(
    make_project: Make, target: Target
) -> None:
    project = make_project()
    body = (
        "    def examples(self):\n        return ['a']\n\n"
        "code = 'def predict(self, text: str) -> int:\\n    return text'\n"
        "exec(compile(code, '/packages/other.py', 'exec'))\nModel.predict = predict\n"
    )
    (finding,) = failure(project, target, body).findings
    assert (finding.file, finding.line) == (None, None)


def test_the_traceback_shows_the_users_line(make_project: Make, target: Target) -> None:
    error = failure(
        make_project(), target, PREDICT + "    def setup(self, ctx):\n        raise ValueError('x')\n"
    )
    assert "handler.py" in error.traceback
    assert "raise ValueError('x')" in error.traceback


def test_setup_that_never_ends_is_ended(make_project: Make, target: Target) -> None:
    project = make_project(limits=Limits(setup_s=0.5, timeout_s=1))
    body = PREDICT + "    def setup(self, ctx):\n        while True:\n            time.sleep(60)\n"
    error = failure(project, target, body)
    assert (error.phase, error.message) == ("setup", "setup took longer than setup_s, which is 0.5 s.")
    assert error.hint == "setup_s = 1  # in [limits]"


def test_memory_past_the_limit_is_an_error(make_project: Make, target: Target) -> None:
    project = make_project(resources=Resources(memory_mb=256))
    body = PREDICT + "    def setup(self, ctx):\n        self.big = bytearray(2_000_000_000)\n"
    error = failure(project, target, body)
    assert error.message.startswith("The handler ran out of memory in setup: it has 256 MB.")
    assert error.hint == "memory_mb = 512  # in [resources]"


def test_what_is_printed_does_not_disturb(make_project: Make, target: Target, root: Path) -> None:
    body = "    print('at import')\n" + PREDICT + "    def setup(self, ctx):\n        print('in setup')\n"
    (root / "handler.py").write_text(HEAD + body)
    contract = build(make_project(), target, report=quiet).contract
    assert contract is not None
    assert contract["reference"] == "handler:Model"


def test_a_module_from_outside_of_the_bundle_is_refused(
    make_project: Make, target: Target, tmp_path: Path
) -> None:
    (tmp_path / "outside_module.py").write_text("")
    body = f"    sys.path.append({str(tmp_path)!r})\n    import outside_module\n" + PREDICT
    assert "outside_module.py, which is not in the bundle" in failure(make_project(), target, body).message


def test_nothing_of_the_developers_environment_reaches_the_handler(
    make_project: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEVELOPERS_OWN", "1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("TOKEN_HERE", "abc")
    (tmp_path / "project" / "key").write_text("xyz\n")
    secrets = {"TOKEN": "env:TOKEN_HERE", "KEY": "file:key", "ABSENT": "env:NOT_SET", "OTHER": "ssm:/x"}
    variables = environment(make_project(env={"MODE": "fast"}, secrets=secrets), tmp_path)
    assert not {"DEVELOPERS_OWN", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "ABSENT", "OTHER"} & set(variables)
    assert variables["HOME"] == variables["TMPDIR"] == str(tmp_path)
    assert {name: variables[name] for name in ("MODE", "TOKEN", "KEY")} == {
        "MODE": "fast",
        "TOKEN": "abc",
        "KEY": "xyz",
    }


def test_mistakes_in_the_class_come_with_the_projects_own_file_and_the_line_to_paste(
    make_project: Make, target: Target
) -> None:
    project = make_project()
    error = failure(project, target, "    def predict(self, text) -> str:\n        return text\n")
    (finding,) = error.findings
    assert (finding.file, finding.line) == (project.root / "handler.py", 6)
    assert finding.fix is not None
    assert finding.fix.startswith("def predict(self, text")


@pytest.mark.skipif(any(Path("/dev").glob("nvidia[0-9]*")), reason="this machine has a GPU")
def test_without_the_gpu_it_asks_for_a_handler_runs_its_setup_alone_and_the_build_says_so(
    make_project: Make, target: Target, root: Path
) -> None:
    body = PREDICT + "    def restore(self, ctx):\n        raise RuntimeError('no GPU')\n"
    (root / "handler.py").write_text(HEAD + body)
    said: list[Event] = []
    project = make_project(resources=Resources(gpu="L4"))
    assert build(project, target, report=said.append).contract is not None
    assert any(isinstance(each, Notice) and "no GPU here" in each.text for each in said)


def test_a_gpu_is_here_where_its_device_is(make_project: Make, tmp_path: Path) -> None:
    asking = make_project(resources=Resources(gpu="L4"))
    (tmp_path / "nvidiactl").touch()
    assert lacks_gpu(asking, tmp_path)
    (tmp_path / "nvidia0").touch()
    assert not lacks_gpu(asking, tmp_path)
    assert not lacks_gpu(make_project(), tmp_path / "nothing")
