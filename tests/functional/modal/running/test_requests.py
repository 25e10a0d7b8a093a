"""Requests to the real container of Modal's client, which sees nothing but what was uploaded."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.fakes.modal.harbour import Harbour, Shipped
from tests.fakes.modal.hold import holding
from tests.fakes.patience import PATIENCE_S
from tests.functional.modal.running.conftest import Zoo

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("modal-running")]

GRR = {"do": "say", "what": "grr"}


@pytest.fixture(scope="module")
def shoal(zoo: Zoo) -> Shipped:
    return zoo("Shoal")


@pytest.fixture(scope="module")
def parrot(zoo: Zoo) -> Shipped:
    return zoo("Parrot")


def test_an_answer_comes_from_the_thread_that_ran_setup(tiger: Shipped) -> None:
    answer = tiger.post({"do": "tell"}).json()
    assert answer["same_thread"] is True
    assert answer["task"] == tiger.container().id
    assert answer["release"] == "1"


def test_an_answer_says_how_it_was_made(tiger: Shipped) -> None:
    answer = tiger.post(GRR, headers={"x-request-id": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    assert float(answer.headers["x-preheat-model-ms"]) >= 0
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("sent", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eA=="}])
def test_nobody_calls_without_the_token(tiger: Shipped, sent: dict[str, str]) -> None:
    url = f"{tiger.http.base_url}/invocations"
    answer = httpx.post(url, json=GRR, headers=sent, trust_env=False, timeout=PATIENCE_S)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_pages_need_no_token(tiger: Shipped) -> None:
    for path in ("/", "/docs", "/schema", "/openapi.json", "/ping", "/readyz", "/healthz"):
        answer = httpx.get(f"{tiger.http.base_url}{path}", trust_env=False, timeout=PATIENCE_S)
        assert answer.status_code == 200, path


def test_a_proxy_token_of_modal_opens_the_door_and_ours_is_not_asked_for(harbour: Harbour, zoo: Zoo) -> None:
    shipped = zoo(options={"auth": "proxy"}, token=None)
    url = f"{shipped.http.base_url}/invocations"
    assert httpx.post(url, json=GRR, trust_env=False, timeout=PATIENCE_S).status_code == 401
    assert not [c for c in harbour.plane.containers if c.function.app.name == shipped.spec.app]
    (key, secret), *_ = harbour.plane.proxy_tokens.items()
    headers = {"Modal-Key": key, "Modal-Secret": secret}
    assert httpx.post(url, json=GRR, headers=headers, trust_env=False, timeout=60).json() == {"said": "grr"}


def test_variables_arrive(zoo: Zoo) -> None:
    shipped = zoo(env={"ZOO_PLAIN": "as it is"}, door="open", token=None)
    assert shipped.post({"do": "tell"}).json()["plain"] == "as it is"


def test_a_deploy_without_a_token_serves_nobody(zoo: Zoo) -> None:
    shipped = zoo(env={}, token=None, retries=0)
    assert shipped.http.post("/invocations", json=GRR).status_code == 500
    assert any("PREHEAT_TOKEN_SHA256" in line for line in shipped.container().lines)


def test_requests_are_batched_in_one_container(shoal: Shipped) -> None:
    shoal.post(0)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: shoal.post(number).json(), range(8)))
    assert [answer["number"] for answer in answers] == list(range(8))
    assert max(answer["together"] for answer in answers) == 4
    containers = [c for c in shoal.plane.containers if c.function.app.name == shoal.spec.app]
    assert len(containers) == 1


def test_modal_hands_over_as_many_requests_as_two_batches_and_one(shoal: Shipped) -> None:
    definition = shoal.plane.function(shoal.spec.app, "Model.*").definition
    assert (definition.max_concurrent_inputs, definition.target_concurrent_inputs) == (9, 8)


def test_async_handlers_wait_side_by_side(zoo: Zoo) -> None:
    heron = zoo("Heron", timeout_s=30)
    with ThreadPoolExecutor(6) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: heron.post(6), range(6))]
    assert answers == [{"together": 6}] * 6


def test_a_stream_arrives_piece_by_piece(parrot: Shipped) -> None:
    parrot.post("warm")
    with holding() as hold:
        port = str(hold.order["port"])
        with parrot.http.stream("POST", "/invocations", json=f"a {port} b") as answer:
            assert answer.headers["content-type"] == "application/x-ndjson"
            words = (json.loads(line)["word"] for line in answer.iter_lines())
            assert next(words) == "a"
            hold.until_held()
            hold.let_go()
            assert list(words) == [port, "b"]


def test_a_caller_who_leaves_ends_the_work(parrot: Shipped) -> None:
    with parrot.http.stream("POST", "/invocations", json=" ".join("abcdefgh")) as answer:
        next(answer.iter_lines())
    parrot.plane.until(lambda: "was interrupted" in parrot.said())


def test_a_failure_is_a_problem_and_the_next_request_is_answered(tiger: Shipped) -> None:
    failed = tiger.post({"do": "fail"})
    assert failed.status_code == 500
    assert "no tiger does that" not in failed.text
    assert any("no tiger does that" in line for line in tiger.container().lines)
    assert tiger.post(GRR).status_code == 200


def test_a_request_ends_at_its_deadline(tiger: Shipped) -> None:
    with holding() as hold:
        late = tiger.post(hold.order, headers={"x-preheat-timeout-s": "0.2"})
    assert late.status_code == 504
    assert tiger.post(GRR).status_code == 200


def test_a_predict_that_nothing_stops_costs_its_container(harbour: Harbour, zoo: Zoo) -> None:
    stuck = zoo(timeout_s=2)
    assert stuck.post(GRR).status_code == 200
    first = stuck.container()
    assert stuck.post({"do": "sleep", "seconds": 30}).status_code == 504
    harbour.plane.until(lambda: first.exit_code is not None)
    assert any("taking no more requests" in line for line in first.lines)
    assert stuck.post(GRR).status_code == 200
    assert stuck.container().id != first.id


def test_a_request_beyond_modals_limit_is_redirected_to_its_answer(harbour: Harbour, zoo: Zoo) -> None:
    shipped = zoo()
    shipped.post(GRR)
    with holding() as hold:
        before, harbour.plane.web_timeout_s = harbour.plane.web_timeout_s, 0.2
        try:
            redirected = shipped.post(hold.order)
            again = shipped.http.get(redirected.headers["location"])
        finally:
            harbour.plane.web_timeout_s = before
        assert (redirected.status_code, again.status_code) == (303, 303)
        hold.until_held()
        hold.let_go()
        answer = shipped.http.get(again.headers["location"])
    assert answer.json() == {"called": hold.order["port"]}


def test_metrics_count_the_requests_of_a_container(tiger: Shipped) -> None:
    tiger.post(GRR)
    text = tiger.http.get("/metrics").text
    assert "preheat_requests_total{" in text
