"""What a deploy sends, does not send, and says."""

from dataclasses import replace
from pathlib import Path

import pytest
from grpclib import Status
from modal_proto import api_pb2
from tests.fakes.functions import Function, Functions
from tests.fakes.modal.container import Container
from tests.fakes.modal.plane import ControlPlane

from preheat.errors import Conflict, NotDeployed, ProviderError
from preheat.progress import Event, Step, quiet
from preheat_providers.modal.client import Client
from preheat_providers.modal.place import Place
from preheat_providers.modal.provider import ModalProvider

SECRET = "hf_never-to-be-seen"
UPLOADS = {"MountPutFile", "BlobCreate", "VolumePutFiles2"}


@pytest.fixture
def letters(functions: Functions) -> Function:
    return functions.fresh("letters")


@pytest.fixture
def scales(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Function:
    """A function with a secret and with weights of three blocks."""
    monkeypatch.setenv("HUB_TOKEN", SECRET)
    function = functions.fresh("scales")
    folder = function.root / "grams"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * 1000)
    return function


def app_of(function: Function) -> str:
    return f"preheat-{function.name}-{function.stage}"


def secrets_of(function: Function, plane: ControlPlane) -> dict[str, dict[str, str]]:
    """Those that its deploys have made."""
    return {name: each for name, each in plane.secrets().items() if name.startswith(f"{app_of(function)}-")}


def test_an_unchanged_deploy_asks_little_and_publishes_nothing(
    letters: Function, plane: ControlPlane
) -> None:
    first = letters.deploy()
    before = len(plane.journal.names())
    again = letters.deploy()
    asked = plane.journal.names()[before:]
    assert (again.changed, again.release) == (False, first.release)
    assert not {"AppPublish", "FunctionCreate", *UPLOADS} & {*asked}
    assert len(asked) <= 16, asked
    assert plane.journal.unimplemented == []


def test_the_deployment_is_tagged_with_what_it_is(letters: Function, plane: ControlPlane) -> None:
    deployed = letters.deploy()
    [version] = plane.app(app_of(letters)).versions
    tag = version.request.deployment_tag
    assert tag.startswith("r1.")
    files = plane.volume(f"{app_of(letters)}-data").files()
    assert f"releases/{tag}.{deployed.digest.removeprefix('sha256:')}.json" in files


def test_a_change_of_code_sends_the_code_alone(letters: Function, plane: ControlPlane) -> None:
    letters.deploy()
    before = len(plane.journal.entries)
    letters.edit("handler.py", "len(text)", "len(text) + 1")
    letters.deploy()
    sent = [e.request for e in plane.journal.entries[before:]]
    contents = [each.data for each in sent if isinstance(each, api_pb2.MountPutFileRequest) and each.data]
    assert any(b"len(text) + 1" in content for content in contents)
    assert sum(map(len, contents)) < 20_000
    assert letters.ask("abc") == 4


def test_containers_of_the_release_before_end_with_the_deploy_where_it_says_so(
    letters: Function, plane: ControlPlane
) -> None:
    def running() -> list[Container]:
        mine = [each for each in plane.containers if each.function.app.name == app_of(letters)]
        return [each for each in mine if each.exit_code is None]

    letters.deploy()
    letters.ask("abc")
    [old] = running()
    with (letters.root / "preheat.toml").open("a") as file:
        file.write('\n[provider.modal]\nstrategy = "recreate"\n')
    assert letters.plan().changes == ()
    letters.edit("handler.py", "len(text)", "len(text) + 1")
    letters.deploy()
    assert plane.journal.last("ContainerStop").task_id == old.id
    assert running() == []
    assert letters.ask("abc") == 4


def test_secrets_go_into_the_secret_and_nowhere_else(
    scales: Function, plane: ControlPlane, provider: ModalProvider
) -> None:
    said: list[Event] = []
    scales.pipeline(said.append).deploy(scales.root)
    [(name, values)] = secrets_of(scales, plane).items()
    assert values == {"HUB_TOKEN": SECRET}
    carrying = {e.rpc for e in plane.journal if SECRET.encode() in e.request.SerializeToString()}
    assert carrying == {"SecretGetOrCreate"}
    assert SECRET not in repr(said) + repr(scales.plan()) + repr(provider.observe(scales.name, "dev"))
    volume = plane.volume(f"{app_of(scales)}-data")
    assert not [path for path in volume.files() if SECRET.encode() in (volume.folder / path).read_bytes()]
    assert scales.ask("grams") == f"grams: 3000, {len(SECRET)}"

    receipt = provider.destroy(scales.name, "dev", report=quiet)
    assert f"Secret {name}" in receipt.removed
    assert secrets_of(scales, plane) == {}


def test_a_new_value_of_a_secret_is_a_change(
    scales: Function, monkeypatch: pytest.MonkeyPatch, plane: ControlPlane
) -> None:
    scales.deploy()
    monkeypatch.setenv("HUB_TOKEN", "other")
    [change] = scales.plan().changes
    assert (change.kind, [field.path for field in change.fields]) == ("modal.Secret", ["mark"])
    scales.deploy()
    assert scales.ask("x") == "x: 3000, 5"


def test_a_deploy_that_fails_and_a_rollback_leave_each_release_its_own_secrets(
    scales: Function, monkeypatch: pytest.MonkeyPatch, plane: ControlPlane, provider: ModalProvider
) -> None:
    scales.deploy()
    [first] = secrets_of(scales, plane)
    monkeypatch.setenv("HUB_TOKEN", "other")
    plane.fail("AppPublish", Status.RESOURCE_EXHAUSTED, times=99)
    with pytest.raises(ProviderError):
        scales.deploy()
    plane.fail("AppPublish", Status.OK, times=0)
    assert secrets_of(scales, plane)[first] == {"HUB_TOKEN": SECRET}
    assert scales.ask("x") == f"x: 3000, {len(SECRET)}"
    assert scales.deploy().release == 2
    assert scales.plan().changes == ()
    assert scales.ask("x") == "x: 3000, 5"
    assert provider.rollback(scales.name, "dev", None).release == 1
    assert scales.ask("x") == f"x: 3000, {len(SECRET)}"


def test_the_image_is_built_by_the_builder_that_the_plan_names(
    letters: Function, monkeypatch: pytest.MonkeyPatch, plane: ControlPlane
) -> None:
    monkeypatch.setenv("MODAL_IMAGE_BUILDER_VERSION", "2024.10")
    before = len(plane.journal.requests("ImageGetOrCreate"))
    [image] = [change for change in letters.plan().changes if change.kind == "modal.Image"]
    assert {field.path: field.after for field in image.fields}["builder"] == "2025.06"
    letters.deploy()
    asked = plane.journal.requests("ImageGetOrCreate")[before:]
    assert {each.builder_version for each in asked} == {"2025.06"}


def test_the_plan_names_what_differs(letters: Function) -> None:
    letters.deploy()
    with (letters.root / "preheat.toml").open("a") as file:
        file.write("\n[scaling]\nmin = 0\nmax = 7\n")
    letters.edit("handler.py", "abc", "abcd")
    changed = {change.kind: {field.path for field in change.fields} for change in letters.plan().changes}
    assert changed == {"modal.Image": {"code"}, "modal.Cls": {"scale.max_containers"}}


def test_a_plan_has_the_prices_of_the_account_and_without_one_those_of_the_list(
    letters: Function, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("cpu_hour_cost", "mem_gib_hour_cost"):
        monkeypatch.setitem(plane.rates, kind, "100")
    [container] = [cost for cost in letters.plan().costs if cost.name == "one container"]
    assert container.usd > 100
    assert "the account's rates" in container.basis
    plane.fail("WorkspaceBillingRates", Status.PERMISSION_DENIED)
    other = replace(letters, provider=ModalProvider())
    [container] = [cost for cost in other.plan().costs if cost.name == "one container"]
    assert container.usd < 1
    assert "list prices" in container.basis


def test_what_another_deploy_published_meanwhile_is_a_conflict(
    letters: Function, plane: ControlPlane, provider: ModalProvider
) -> None:
    letters.deploy()
    other = ModalProvider()
    letters.edit("handler.py", "abc", "first")
    mine = letters.pipeline()
    project = mine.project(letters.root)
    prepared = mine.prepare(project)

    def rival(event: Event) -> None:
        """Deploy in the moment in which Modal has taken ours, and is not asked yet what runs."""
        if isinstance(event, Step) and "View Deployment" in event.text and not done:
            done.append(event)
            place = Place(client=Client(), environment="", name=letters.name, stage="dev")
            live = place.require()
            other._client.ask("AppRollback", what="x", app_id=live.app.id, version=1)

    done: list[Event] = []
    with pytest.raises(Conflict, match="Somebody else deployed"):
        provider.apply(prepared.plan, project, prepared.bundle, report=rival)


def test_what_another_deploy_published_before_ours_is_a_conflict_and_goes_on_running(
    letters: Function, plane: ControlPlane, functions: Functions
) -> None:
    letters.deploy()
    rival = replace(letters, provider=ModalProvider(home=lambda: letters.root / "another-home"))
    letters.edit("handler.py", "len(text)", "len(text) * 2")
    begun: list[Event] = []

    def meanwhile(event: Event) -> None:
        if isinstance(event, Step) and event.text.startswith("deploying") and not begun:
            begun.append(event)
            pipeline = rival.pipeline()
            project = pipeline.project(rival.root)
            prepared = pipeline.prepare(project)
            rival.provider.apply(prepared.plan, project, prepared.bundle, report=quiet)

    before = len(plane.app(app_of(letters)).versions)
    with pytest.raises(Conflict, match="as release 2 in the meantime; nothing of this deploy runs"):
        letters.pipeline(meanwhile).deploy(letters.root)
    assert len(plane.app(app_of(letters)).versions) == before + 1
    assert [each.number for each in letters.releases()] == [2, 1]
    assert letters.ask("abc") == 6


def test_an_environment_is_where_a_stage_is_and_it_is_found_without_its_project(
    letters: Function, functions: Functions, plane: ControlPlane, provider: ModalProvider
) -> None:
    provider._client.ask("EnvironmentCreate", what="x", name="production")
    with (letters.root / "preheat.toml").open("a") as file:
        file.write('\n[stage.prod.provider.modal]\nenvironment = "production"\n')
    other = functions.at_stage(letters, "prod")
    other.deploy()
    assert plane.app(app_of(other), environment="production")
    assert ModalProvider().releases(letters.name, "prod")[0].number == 1
    assert [status.stage for status in ModalProvider().status(letters.name, None)] == ["prod"]
    with pytest.raises(NotDeployed):
        provider.releases(letters.name, "dev")
    ModalProvider().destroy(letters.name, "prod", report=quiet)
    assert provider.status(letters.name, None) == ()


def test_an_environment_that_does_not_exist_is_named_with_the_way_to_list_them(letters: Function) -> None:
    with (letters.root / "preheat.toml").open("a") as file:
        file.write('\n[provider.modal]\nenvironment = "nowhere"\n')
    with pytest.raises(ProviderError, match="no such environment") as raised:
        letters.deploy()
    assert "modal environment list" in str(raised.value.hint)


def test_an_app_of_somebody_else_under_that_name_is_no_release_of_ours(
    letters: Function, provider: ModalProvider, plane: ControlPlane, tmp_path: Path
) -> None:
    import modal

    with plane.client() as client:
        modal.App(app_of(letters)).deploy(client=client)
    assert provider.observe(letters.name, "dev") == ()
    assert letters.deploy().release == 1
    assert [release.number for release in letters.releases()] == [1]
