"""A container from its start to its end: in which order the handler's hooks run, and what failing ones do."""

import threading

import pytest
from tests.fakes.modal.harbour import FUNCTION, Harbour
from tests.fakes.patience import PATIENCE_S
from tests.functional.modal.running.conftest import Zoo

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("modal-running")]

GRR = {"do": "say", "what": "grr"}
START = ["setup of release 1 at dev", "restore", "says warm up"]


def test_without_a_snapshot_every_step_is_taken_at_once(harbour: Harbour, zoo: Zoo) -> None:
    tiger = zoo()
    container = harbour.plane.start(tiger.spec.app, FUNCTION)
    assert tiger.said() == START
    assert "checkpoint" not in container.times


def test_setup_is_in_the_snapshot_and_restore_follows_it(harbour: Harbour, zoo: Zoo) -> None:
    before: list[list[str]] = []
    tiger = zoo(snapshot="cpu")
    harbour.plane.on_checkpoint = lambda container: before.append(list(container.lines))
    try:
        container = harbour.plane.start(tiger.spec.app, FUNCTION)
    finally:
        harbour.plane.on_checkpoint = lambda container: None
    (lines,) = before
    assert any("setup of release" in line for line in lines)
    assert not any("zoo: restore" in line for line in lines)
    assert tiger.said() == START
    assert container.times["checkpoint"] < container.times["restored"] < container.times["ready"]
    assert tiger.post(GRR).json() == {"said": "grr"}


def test_a_gpu_snapshot_is_asked_for(harbour: Harbour, zoo: Zoo) -> None:
    spec = zoo(snapshot="gpu", gpu=("L4",))
    definition = harbour.plane.function(spec.spec.app, FUNCTION).definition
    assert definition.checkpointing_enabled
    assert dict(definition.experimental_options) == {"enable_gpu_snapshot": "True"}


@pytest.mark.parametrize(("step", "why"), [("setup", "the cage is empty"), ("restore", "does not wake up")])
def test_a_start_that_fails_says_where_and_why(harbour: Harbour, zoo: Zoo, step: str, why: str) -> None:
    tiger = zoo(env={"ZOO_FAILS": step}, door="open", token=None)
    container = harbour.plane.start(tiger.spec.app, FUNCTION)
    assert "ready" not in container.times
    assert container.failure is not None
    assert why in container.failure.exception
    (event,) = [line for line in container.lines if '"event": "failed"' in line]
    assert f'"phase": "{step}"' in event
    assert why in event
    assert "preheat/runtime" not in event
    assert tiger.post(GRR).status_code == 500


def test_teardown_runs_after_what_is_in_hand(harbour: Harbour, zoo: Zoo) -> None:
    tiger = zoo()
    tiger.post(GRR)
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(tiger.post({"do": "sleep", "seconds": 1}).status_code)
    )
    asking.start()
    harbour.plane.until(lambda: "sleeps" in tiger.said())
    (container,) = harbour.plane.drain(tiger.spec.app)
    asking.join(PATIENCE_S)
    assert answers == [200]
    assert tiger.said()[-2:] == ["sleeps", "teardown"]
    assert container.exit_code == 0


def test_teardown_runs_in_a_handler_that_streams(harbour: Harbour, zoo: Zoo) -> None:
    parrot = zoo("Parrot")
    parrot.post("hello you")
    (container,) = harbour.plane.drain(parrot.spec.app)
    assert parrot.said()[-1] == "teardown"
    assert container.exit_code == 0


def test_a_container_that_never_became_ready_ends_without_teardown(harbour: Harbour, zoo: Zoo) -> None:
    tiger = zoo(env={"ZOO_FAILS": "restore"}, door="open", token=None)
    container = harbour.plane.start(tiger.spec.app, FUNCTION)
    assert "teardown" not in tiger.said()
    assert not [line for line in container.lines if "AttributeError" in line]


def test_a_schedule_runs_the_handler_on_its_input(harbour: Harbour, zoo: Zoo) -> None:
    tiger = zoo()
    (tag,) = harbour.plane.schedules(tiger.spec.app)
    schedule = harbour.plane.schedules(tiger.spec.app)[tag]
    assert (schedule.cron.cron_string, schedule.cron.timezone) == ("0 3 * * *", "Europe/Berlin")
    harbour.plane.fire(tiger.spec.app, tag)
    harbour.plane.until(lambda: "says good night" in tiger.said())


def test_what_is_uploaded_again_after_a_change_of_code_is_code(harbour: Harbour, zoo: Zoo) -> None:
    journal = harbour.plane.journal
    before = len(journal.requests("MountPutFile"))
    tiger = zoo()
    again = zoo("Parrot")
    sent = journal.requests("MountPutFile")[before:]
    assert tiger.spec.app != again.spec.app
    assert sum(len(request.data) for request in sent) < 30_000
