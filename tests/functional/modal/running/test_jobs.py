"""/jobs in the real container: a call that is spawned runs the job, and a Dict has its record."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.fakes.modal.container import Container
from tests.fakes.modal.harbour import Shipped
from tests.fakes.modal.hold import Hold, holding
from tests.fakes.patience import PATIENCE_S
from tests.functional.modal.running.conftest import Zoo

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("modal-running")]

GRR = {"do": "say", "what": "grr"}
ENDED = ("succeeded", "failed", "cancelled")


@pytest.fixture(scope="module")
def tiger(zoo: Zoo) -> Shipped:
    return ship(zoo)


@pytest.fixture
def hold() -> Iterator[Hold]:
    with holding() as hold:
        yield hold


def ship(zoo: Zoo, **changes: Any) -> Shipped:
    """Deploy a tiger that can be asked for a job while it runs one."""
    return zoo(max_inputs=4, target_inputs=4, **changes)


def submit(shipped: Shipped, order: Any, **headers: str) -> httpx.Response:
    return shipped.http.post("/jobs", json=order, headers=headers)


def state(shipped: Shipped, job: str) -> dict[str, Any]:
    answer = shipped.http.get(f"/jobs/{job}")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def until(shipped: Shipped, job: str, *statuses: str) -> dict[str, Any]:
    """Ask for the job until its state is one of those."""
    ends = time.monotonic() + PATIENCE_S
    while (found := state(shipped, job))["status"] not in statuses:
        over = found["status"] in ENDED or time.monotonic() > ends
        assert not over, (found, shipped.container().lines[-10:])
    return found


def kill(shipped: Shipped) -> Container:
    """End the container at once, and wait until that was noticed."""
    container = shipped.container()
    container.kill()
    shipped.plane.until(lambda: container.exit_code is not None)
    return container


def test_a_job_is_taken_run_and_read(tiger: Shipped) -> None:
    taken = submit(tiger, GRR)
    assert taken.status_code == 202
    document = taken.json()
    assert taken.headers["location"] == f"/jobs/{document['id']}"
    assert document["status"] == "queued"
    ended = until(tiger, document["id"], "succeeded")
    assert ended["result"] == {"said": "grr"}
    assert ended["attempts"] == 1
    assert ended["created"] <= ended["started"] <= ended["finished"] < ended["expires"]
    result = tiger.http.get(f"/jobs/{document['id']}/result")
    assert (result.status_code, result.json()) == (200, {"said": "grr"})


def test_a_job_says_that_it_runs(tiger: Shipped, hold: Hold) -> None:
    job = submit(tiger, hold.order).json()["id"]
    hold.until_held()
    running = until(tiger, job, "running")
    assert running["attempts"] == 1
    assert tiger.http.get(f"/jobs/{job}/result").status_code == 409
    hold.let_go()
    assert until(tiger, job, "succeeded")["result"] == {"called": hold.order["port"]}


def test_a_job_that_fails_is_tried_three_times(tiger: Shipped) -> None:
    job = submit(tiger, {"do": "fail"}).json()["id"]
    failed = until(tiger, job, "failed")
    assert failed["attempts"] == 3
    assert failed["error"]["status"] == 500
    assert tiger.http.get(f"/jobs/{job}/result").status_code == 500


def test_a_job_that_is_refused_is_not_tried_again(tiger: Shipped) -> None:
    job = submit(tiger, "no order").json()["id"]
    failed = until(tiger, job, "failed")
    assert failed["attempts"] == 1
    assert failed["error"]["status"] == 400


def test_the_same_key_is_the_same_job(tiger: Shipped) -> None:
    key = {"idempotency-key": "once"}
    first = submit(tiger, GRR, **key)
    again = submit(tiger, GRR, **key)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert submit(tiger, {**GRR, "what": "meow"}, **key).status_code == 409
    until(tiger, first.json()["id"], "succeeded")
    assert tiger.said().count("says grr") >= 1


def test_a_job_that_is_cancelled_while_it_runs_has_no_result(tiger: Shipped, hold: Hold) -> None:
    job = submit(tiger, hold.order).json()["id"]
    hold.until_held()
    cancelled = tiger.http.delete(f"/jobs/{job}").json()
    assert cancelled["status"] == "cancelled"
    assert tiger.http.get(f"/jobs/{job}/result").status_code == 409
    hold.let_go()
    assert state(tiger, job)["status"] == "cancelled"
    assert tiger.post(GRR).status_code == 200


def test_a_job_that_has_ended_is_not_cancelled(tiger: Shipped) -> None:
    job = submit(tiger, GRR).json()["id"]
    until(tiger, job, "succeeded")
    assert tiger.http.delete(f"/jobs/{job}").json()["status"] == "succeeded"


def test_a_job_whose_container_dies_is_run_in_another(zoo: Zoo, hold: Hold) -> None:
    tiger = ship(zoo, retries=2)
    job = submit(tiger, hold.order).json()["id"]
    hold.until_held()
    first = kill(tiger)
    hold.until_held()
    hold.let_go()
    ended = until(tiger, job, "succeeded")
    assert ended["attempts"] == 2
    assert tiger.container().id != first.id


def test_a_job_whose_call_is_given_up_has_failed(zoo: Zoo, hold: Hold) -> None:
    tiger = ship(zoo, retries=0)
    job = submit(tiger, hold.order).json()["id"]
    hold.until_held()
    kill(tiger)
    failed = until(tiger, job, "failed")
    assert failed["error"]["status"] == 502


def test_a_large_job_and_its_answer_travel_whole(tiger: Shipped) -> None:
    text = "x" * 3_000_000
    job = submit(tiger, {"do": "echo", "what": text}).json()["id"]
    assert until(tiger, job, "succeeded")["result"] == {"what": text}


def test_a_stream_is_one_answer(zoo: Zoo) -> None:
    parrot = zoo("Parrot")
    job = submit(parrot, "a b").json()["id"]
    ended = until(parrot, job, "succeeded")
    assert ended["result_url"] == f"/jobs/{job}/result"
    assert parrot.http.get(ended["result_url"]).text == '{"word":"a"}\n{"word":"b"}\n'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-preheat-webhook": "https://receiver.example.org/"}, 501),
        ({"x-preheat-ttl-s": "700000"}, 400),
        ({"idempotency-key": "two words"}, 400),
        ({"authorization": "Bearer wrong"}, 401),
    ],
)
def test_what_no_job_is_taken_for(tiger: Shipped, headers: dict[str, str], status: int) -> None:
    assert submit(tiger, GRR, **headers).status_code == status


def test_a_job_expires(tiger: Shipped) -> None:
    job = submit(tiger, GRR, **{"x-preheat-ttl-s": "0.05"}).json()["id"]
    ends = time.monotonic() + PATIENCE_S
    while tiger.http.get(f"/jobs/{job}").status_code != 404:
        assert time.monotonic() < ends


def test_nobody_reads_a_job_that_there_is_not(tiger: Shipped) -> None:
    assert tiger.http.get(f"/jobs/{'0' * 32}").status_code == 404
    assert (
        httpx.get(f"{tiger.http.base_url}/jobs/{'0' * 32}", trust_env=False, timeout=PATIENCE_S).status_code
        == 401
    )
