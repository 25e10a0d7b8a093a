"""What goes wrong before and during a deploy, and what the reader is told of it."""

import signal
import threading
from pathlib import Path

import pytest
from grpclib import Status
from tests.fakes.functions import Function, Functions
from tests.fakes.modal.account import SETTINGS
from tests.fakes.modal.plane import ControlPlane

from preheat.errors import MissingExtra, NotDeployed, ProjectError, ProviderError
from preheat.interface.message import Request
from preheat.progress import Event, Step, quiet
from preheat.project.model import EMPTY
from preheat_providers.modal.client import Client
from preheat_providers.modal.operating.destroying import remains
from preheat_providers.modal.place import Place
from preheat_providers.modal.provider import ModalProvider

PROJECTS = Path(__file__).parent / "projects"


@pytest.fixture
def letters(functions: Functions) -> Function:
    return functions.fresh("letters")


@pytest.fixture
def built(provider: ModalProvider, tmp_path: Path) -> Function:
    """A function whose packages Modal installs."""
    folder = tmp_path / "built"
    folder.mkdir()
    return Functions(provider, folder, projects=PROJECTS, settings=SETTINGS, options=EMPTY).fresh("letters")


def test_without_a_token_nothing_is_asked_and_the_line_to_paste_is_there(
    letters: Function, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODAL_TOKEN_ID")
    monkeypatch.delenv("MODAL_TOKEN_SECRET")
    before = plane.journal.names()
    with pytest.raises(ProviderError, match=r"the sign-in fails: no token") as raised:
        letters.deploy()
    assert "modal token new" in str(raised.value.hint)
    assert plane.journal.names() == before


def test_a_wrong_token_is_said_so(letters: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-wrong")
    with pytest.raises(ProviderError, match="does not accept the token") as raised:
        letters.deploy()
    assert "as-wrong" not in str(raised.value)


@pytest.mark.parametrize("version", ["1.4.3", "1.7.0", "2.0"])
def test_a_client_beyond_the_range_is_named_with_the_line_that_installs_one(
    version: str, plane: ControlPlane
) -> None:
    with pytest.raises(ProviderError, match=f"is {version}, and") as raised:
        ModalProvider(Client(version=lambda: version)).status(None, None)
    assert raised.value.hint == "pip install 'modal>=1.5,<1.7'"


def test_without_the_client_the_extra_is_named(plane: ControlPlane) -> None:
    from importlib.metadata import PackageNotFoundError

    def missing() -> str:
        raise PackageNotFoundError("modal")

    with pytest.raises(MissingExtra) as raised:
        ModalProvider(Client(version=missing)).status(None, None)
    assert raised.value.hint == "pip install 'preheat[modal]'"


def test_a_gpu_that_modal_has_not_is_named_before_anything_is_built_or_asked(
    letters: Function, plane: ControlPlane
) -> None:
    letters.edit("preheat.toml", "memory_mb = 512", 'memory_mb = 512\ngpu = "H1000"')
    before = plane.journal.names()
    with pytest.raises(ProjectError) as raised:
        letters.deploy()
    [finding] = raised.value.findings
    assert "'H1000'" in finding.message
    assert finding.fix == 'gpu = "H100"'
    assert plane.journal.names() == before


def test_an_image_that_is_built_of_the_lock_runs(built: Function, plane: ControlPlane) -> None:
    said: list[Event] = []
    built.pipeline(said.append).deploy(built.root)
    assert built.ask("four") == 4
    recipe = [
        line for e in plane.journal.requests("ImageGetOrCreate") for line in e.image.dockerfile_commands
    ]
    assert any("--require-hashes" in line for line in recipe)
    assert not any("uv:latest" in line for line in recipe)


def test_an_image_that_cannot_be_built_shows_the_log(
    built: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    built.edit("preheat.toml", "[resources]", 'requirements = ["idna==3.10"]\n\n[resources]')
    project = built.pipeline().project(built.root)
    prepared = built.pipeline().prepare(project)
    said: list[Event] = []
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(ProviderError, match="could not build the image") as raised:
        built.provider.apply(prepared.plan, project, prepared.bundle, report=said.append)
    assert "127.0.0.1:9" in raised.value.message
    assert 'packages = "upload"' in str(raised.value.hint)
    assert any(isinstance(event, Step) and "=> RUN" in event.text for event in said)
    assert built.provider.observe(built.name, "dev") == ()


def test_what_modal_refuses_leaves_what_ran(letters: Function, plane: ControlPlane) -> None:
    letters.deploy()
    letters.edit("handler.py", "len(text)", "-len(text)")
    plane.fail("AppPublish", Status.RESOURCE_EXHAUSTED, message="too many apps", times=99)
    with pytest.raises(ProviderError, match="too many apps"):
        letters.deploy()
    plane.fail("AppPublish", Status.OK, message="", times=0)
    assert letters.ask("abc") == 3
    assert letters.deploy().release == 2
    assert letters.ask("abc") == -3


@pytest.mark.parametrize("broken", ["AppPublish", "VolumeDelete"])
def test_what_a_first_deploy_or_a_destroy_left_in_another_environment_is_found_and_removed(
    broken: str, functions: Functions, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing says in which one, once the app is not there: a command that has the name alone looks."""
    monkeypatch.setenv("HUB_TOKEN", "hf_x")
    ModalProvider()._client.ask("EnvironmentCreate", what="x", name=f"left-by-{broken}")
    function = functions.fresh("scales")
    (function.root / "grams").mkdir()
    (function.root / "grams" / "one.bin").write_bytes(bytes(1000))
    with (function.root / "preheat.toml").open("a") as file:
        file.write(f'\n[provider.modal]\nenvironment = "left-by-{broken}"\n')

    def live_and_die() -> None:
        function.deploy()
        function.provider.submit(function.name, "dev", Request(id="r", body=b'"x"'))
        ModalProvider().destroy(function.name, "dev", report=quiet)

    plane.fail(broken, Status.RESOURCE_EXHAUSTED, times=99)
    with pytest.raises(ProviderError):
        live_and_die()
    plane.fail(broken, Status.OK, times=0)

    receipt = ModalProvider().destroy(function.name, "dev", report=quiet)
    assert f"Volume preheat-{function.name}-dev-data" in receipt.removed
    assert any("-env-" in each for each in receipt.removed) == (broken == "AppPublish")
    assert any("-jobs" in each for each in receipt.removed) == (broken == "VolumeDelete")
    assert receipt.left == ()
    with pytest.raises(NotDeployed):
        ModalProvider().destroy(function.name, "dev", report=quiet)


def test_a_receipt_names_what_is_left(
    functions: Functions, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_TOKEN", "hf_x")
    function = functions.fresh("scales")
    (function.root / "grams").mkdir()
    (function.root / "grams" / "one.bin").write_bytes(bytes(1000))
    function.deploy()
    app = f"preheat-{function.name}-dev"
    [secret] = [name for name in plane.secrets() if name.startswith(app)]
    place = Place(client=Client(), environment="", name=function.name, stage="dev")
    assert remains(place) == (f"Secret {secret}", f"Volume {app}-data")
    plane.fail("VolumeDelete", Status.NOT_FOUND)  # so that it says that it was not there, and is
    receipt = function.provider.destroy(function.name, "dev", report=quiet)
    assert receipt.left == remains(place) == (f"Volume {app}-data",)
    assert ModalProvider().destroy(function.name, "dev", report=quiet).left == remains(place) == ()


def test_a_ctrl_c_ends_the_program_that_deploys(letters: Function, plane: ControlPlane) -> None:
    here = threading.get_ident()
    before = len(plane.journal.requests("AppPublish"))

    def interrupt() -> None:
        plane.until(lambda: len(plane.journal.requests("AppPublish")) > before)
        signal.pthread_kill(here, signal.SIGINT)

    with plane.holding("AppPublish"):
        user = threading.Thread(target=interrupt)
        user.start()
        with pytest.raises(KeyboardInterrupt):
            letters.deploy()
        user.join()
    assert letters.deploy().release == 1


def test_a_token_whose_deploy_was_killed_is_shown_by_the_next_one(
    letters: Function, plane: ControlPlane
) -> None:
    plane.fail("AppPublish", Status.RESOURCE_EXHAUSTED, message="no", times=99)
    with pytest.raises(ProviderError):
        letters.deploy()
    plane.fail("AppPublish", Status.OK, message="", times=0)
    deployed = letters.deploy()
    assert deployed.token is not None
    assert letters.deploy().token is None
