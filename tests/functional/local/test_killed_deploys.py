"""A deploy whose supervisor is killed in the middle leaves nothing of its secrets behind."""

import os
import signal

import pytest
from tests.fakes.local import Local

from preheat.errors import ProviderError
from preheat.progress import Event, Step
from preheat.project.model import Scaling

pytestmark = pytest.mark.runtime

KEYED = """
    import os
    import preheat

    class Model(preheat.Handler):
        def predict(self, text: str) -> str:
            return os.environ.get("API_KEY", "none")
"""
HANGS = """
    import threading
    import preheat

    class Model(preheat.Handler):
        def setup(self, ctx):
            threading.Event().wait()

        def predict(self, text: str) -> str:
            return text
"""


def kill_while_deploying(local: Local, source: str) -> None:
    """Deploy, and kill the supervisor as a worker of the release starts: the client's second try too."""

    def kill(event: Event) -> None:
        if isinstance(event, Step) and event.text.startswith("starting a worker"):
            os.kill(local.client.order("hello")["pid"], signal.SIGKILL)

    plan = local.plan(source)
    with pytest.raises(ProviderError, match="ended before it answered"):
        local.provider.apply(plan, local.project, local.bundle(source), report=kill)


def kept(local: Local) -> list[str]:
    """Return the files with values of secrets, of all releases."""
    return sorted(path.name for path in local.client.paths.secrets("demo@dev").rglob("*"))


@pytest.fixture
def keyed(local: Local, monkeypatch: pytest.MonkeyPatch) -> Local:
    """A home whose project has a secret and a worker that always runs."""
    monkeypatch.setenv("MY_KEY", "old-secret")
    local.configure(secrets={"API_KEY": "env:MY_KEY"}, scaling=Scaling(min=1))
    return local


def test_after_a_first_deploy_that_was_killed_the_next_has_none_of_its_secrets(keyed: Local) -> None:
    kill_while_deploying(keyed, HANGS)
    assert kept(keyed) == ["1.json"]

    keyed.configure(secrets={})
    assert keyed.provider.observe("demo", "dev") == ()  # which starts a supervisor again
    assert not keyed.client.paths.secrets("demo@dev").exists()
    assert keyed.deploy(KEYED).release == 1
    assert keyed.answer("x") == "none"
    assert not keyed.deploy(KEYED).changed


def test_after_a_later_deploy_that_was_killed_only_the_releases_that_are_kept_have_secrets(
    keyed: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.deploy(KEYED)
    monkeypatch.setenv("MY_KEY", "new-secret")
    kill_while_deploying(keyed, HANGS)
    assert kept(keyed)[0] == "1.json"
    assert len(kept(keyed)) > 1

    assert keyed.answer("x") == "old-secret"
    assert kept(keyed) == ["1.json"]
