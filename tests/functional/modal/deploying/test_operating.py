"""What is done with an app that runs: watched, scaled, asked, gone back."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.fakes.command_line import CommandLine
from tests.fakes.functions import Function, Functions
from tests.fakes.modal.account import OPTIONS, SETTINGS
from tests.fakes.modal.plane import ControlPlane

from preheat.errors import NotDeployed, ProviderError
from preheat.interface.message import Request
from preheat.provider.protocol import KeepsWarm, Pool
from preheat.provider.registry import Registry
from preheat_providers.modal.deploying.pruning import KEPT
from preheat_providers.modal.provider import ModalProvider

PROJECTS = Path(__file__).parent / "projects"


@pytest.fixture(scope="module")
def counted(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Function:
    """A function that the tests of this module share."""
    folder = tmp_path_factory.mktemp("counted")
    functions = Functions(ModalProvider(), folder, projects=PROJECTS, settings=SETTINGS, options=OPTIONS)
    function = functions.fresh("letters")
    function.deploy()
    return function


def app_of(function: Function) -> str:
    return f"preheat-{function.name}-dev"


def test_a_log_is_followed_until_the_app_is_gone(
    functions: Functions, provider: ModalProvider, plane: ControlPlane
) -> None:
    function = functions.fresh("letters")
    function.deploy()
    function.ask("abcde")
    events = provider.logs(function.name, "dev", follow=True)
    assert next(event for event in events if event["message"] == "counting 5")
    function.ask("abcdefg")
    assert next(event for event in events if event["message"] == "counting 7")
    provider.destroy(function.name, "dev", report=lambda _: None)
    assert [event for event in events if event["message"] == "counting 9"] == []


def test_the_pool_changes_at_once_and_the_next_deploy_sets_it_again(
    functions: Functions, provider: ModalProvider, plane: ControlPlane
) -> None:
    function = functions.fresh("letters")
    function.deploy()
    assert isinstance(provider, KeepsWarm)
    assert provider.warm_pool(function.name, "dev").pool == Pool(min=0, buffer=0, max=4, idle_s=300)

    changed = provider.resize(function.name, "dev", Pool(min=1, idle_s=60))
    assert changed.pool == Pool(min=1, buffer=0, max=4, idle_s=60)
    assert set(changed.changed) == {"min", "idle_s"}
    plane.until(lambda: [c for c in plane.containers if c.function.app.name == app_of(function)])
    request = plane.journal.last("FunctionUpdateSchedulingParams")
    assert not request.settings.HasField("max_containers")
    assert function.plan().changes == ()

    function.edit("handler.py", "abc", "abcd")
    function.deploy()
    plane.function(app_of(function), "Model.*").override.Clear()  # as Modal does with a deployment
    assert provider.warm_pool(function.name, "dev").changed == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [(Pool(idle_s=1), "2 to 3600"), (Pool(min=9), "at most 4"), (Pool(idle_s=4000), "3600")],
)
def test_a_pool_that_modal_refuses_is_refused_here(
    counted: Function, provider: ModalProvider, change: Pool, says: str, plane: ControlPlane
) -> None:
    before = plane.journal.names().count("FunctionUpdateSchedulingParams")
    with pytest.raises(ProviderError, match=says) as raised:
        provider.resize(counted.name, "dev", change)
    assert raised.value.hint is not None
    assert plane.journal.names().count("FunctionUpdateSchedulingParams") == before


def test_a_job_of_the_command_line_is_one_of_the_endpoint(
    counted: Function, provider: ModalProvider, plane: ControlPlane
) -> None:
    job = provider.submit(counted.name, "dev", Request(id="r", body=b'"seven77"'))
    place = provider._place(counted.name, "dev")
    plane.until(
        lambda: any("job-finished" in line for c in plane.containers for line in c.lines if job in line)
    )
    request = urllib.request.Request(f"{place.endpoint()}/jobs/{job}")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 401, (refused.value.read(), [c.lines[-12:] for c in plane.containers])
    refused.value.close()


def test_invoke_needs_no_token_and_counts_like_a_request(counted: Function) -> None:
    before = counted.status()
    assert counted.ask("abc") == 3
    assert counted.send(b'""').status == 400
    after = counted.status()
    assert (after.requests, after.errors) == ((before.requests or 0) + 2, before.errors)
    json.dumps(dict(after.details))


def test_a_list_of_functions_says_that_requests_were_not_counted(
    counted: Function, provider: ModalProvider
) -> None:
    counted.ask("abc")
    [listed] = [each for each in provider.status(None, None) if each.name == counted.name]
    assert (listed.requests, listed.errors, listed.cold_starts, listed.warm_ms_p50) == (None,) * 4
    line = CommandLine(registry=Registry.installed())
    [row] = [each for each in line("status", "--provider", "modal").out.splitlines() if counted.name in each]
    assert row.split()[4:7] == ["-", "-", "-"]


def test_a_share_of_the_traffic_is_refused_and_all_of_it_goes_to_the_newest(
    functions: Functions, provider: ModalProvider
) -> None:
    function = functions.fresh("letters")
    function.deploy()
    function.edit("handler.py", "len(text)", "len(text) * 2")
    function.deploy()
    with pytest.raises(ProviderError, match="one version"):
        provider.promote(function.name, "dev", canary=0.1)
    provider.rollback(function.name, "dev", None)
    assert function.ask("abc") == 3
    assert provider.promote(function.name, "dev", canary=None).release == 2
    assert function.ask("abc") == 6
    function.edit("handler.py", "* 2", "* 3")
    assert function.deploy().release == 3
    assert [(each.number, each.active) for each in function.releases()] == [(3, True), (2, False), (1, False)]


def test_old_releases_lose_their_records_and_secrets_and_say_so(
    functions: Functions, provider: ModalProvider, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = functions.fresh("letters")
    with (function.root / "preheat.toml").open("a") as file:
        file.write('\n[secrets]\nKEY = "env:KEY"\n')
    for number in range(KEPT + 1):
        monkeypatch.setenv("KEY", str(number))
        function.deploy()
    releases = function.releases()
    assert [each.number for each in releases if not each.digest] == [1]
    assert "record is gone" in releases[-1].note
    assert len(plane.volume(f"{app_of(function)}-data").files()) == KEPT
    kept = [values for name, values in plane.secrets().items() if name.startswith(app_of(function))]
    assert kept == [{"KEY": str(number)} for number in range(1, KEPT + 1)]
    with pytest.raises(ProviderError, match="pruned"):
        provider.rollback(function.name, "dev", 1)


def test_what_is_not_deployed_has_no_pool(provider: ModalProvider, plane: ControlPlane) -> None:
    with pytest.raises(NotDeployed):
        provider.warm_pool("never-deployed", "dev")


def test_the_command_line_shows_and_changes_the_pool(counted: Function, plane: ControlPlane) -> None:
    line = CommandLine(registry=Registry.installed())
    shown = line("warm", "show", counted.name, "--provider", "modal")
    assert (shown.code, "at most" in shown.out) == (0, True)
    change = ("--scaledown", "2m", "--live", "--json")
    changed = line("warm", "set", "0", counted.name, "--provider", "modal", *change)
    assert changed.document["pool"]["idle_s"] == 120
    assert "not as deployed" in line("warm", "show", counted.name, "--provider", "modal").out
